// Command peers measures Falconer beside other programs that answer the same question, on the same machine and in the same run.
//
//	go run . check          may this person read this book? Falconer, OPA and SpiceDB
//	go run . forward-auth   nginx asks about each request: the gateway, and oauth2-proxy
//	go run . oauth          code flows and introspections over PostgreSQL: Falconer and Ory Hydra
//
// It starts the programs itself: FALCONER_BIN, and `opa`, `spicedb`, `oauth2-proxy`, `nginx` and `hydra` from the PATH. docs/performance.md says how to get them.
package main

import (
	"flag"
	"fmt"
	"os"
	"time"
)

// Options are what all measurements share.
type Options struct {
	Falconer string
	Seconds  time.Duration
	Workers  int
	Folder   string
	// Of `oauth` only: a database that may make others, and how many tokens live.
	Postgres string
	Tokens   int
}

func main() {
	var options Options
	var seconds float64
	flag.StringVar(&options.Falconer, "falconer", os.Getenv("FALCONER_BIN"), "the binary to measure; FALCONER_BIN")
	flag.Float64Var(&seconds, "seconds", 5, "seconds of load that count for each figure")
	flag.IntVar(&options.Workers, "workers", 16, "questions under way at once")
	flag.StringVar(&options.Postgres, "postgres", os.Getenv("FALCONER_TEST_POSTGRES"), "oauth: a PostgreSQL whose superuser this is; FALCONER_TEST_POSTGRES")
	flag.IntVar(&options.Tokens, "tokens", 100_000, "oauth: tokens that live while introspections and memory are measured")
	flag.Usage = func() {
		fmt.Fprintln(os.Stderr, "usage: peers [options] check|forward-auth|oauth")
		flag.PrintDefaults()
	}
	flag.Parse()
	options.Seconds = time.Duration(seconds * float64(time.Second))
	if options.Falconer == "" || flag.NArg() != 1 {
		flag.Usage()
		os.Exit(2)
	}
	if err := run(flag.Arg(0), options); err != nil {
		fmt.Fprintln(os.Stderr, "peers:", err)
		os.Exit(1)
	}
}

func run(command string, options Options) error {
	folder, err := os.MkdirTemp("", "peers-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(folder)
	options.Folder = folder
	switch command {
	case "check":
		return checks(options)
	case "forward-auth":
		return forwardAuth(options)
	case "oauth":
		return oauth(options)
	}
	return fmt.Errorf("no such measurement: %s", command)
}
