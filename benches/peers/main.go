// Command peers measures Falconer beside other programs that answer the same question, on the same machine and in the same run.
//
//	go run . check          may this person read this book? Falconer, OPA and SpiceDB
//	go run . forward-auth   nginx asks about each request: the gateway, and oauth2-proxy
//
// It starts the programs itself: FALCONER_BIN, and `opa`, `spicedb`, `oauth2-proxy` and `nginx` from the PATH. docs/performance.md says how to get them.
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
}

func main() {
	var options Options
	var seconds float64
	flag.StringVar(&options.Falconer, "falconer", os.Getenv("FALCONER_BIN"), "the binary to measure; FALCONER_BIN")
	flag.Float64Var(&seconds, "seconds", 5, "seconds of load that count for each figure")
	flag.IntVar(&options.Workers, "workers", 16, "questions under way at once")
	flag.Usage = func() {
		fmt.Fprintln(os.Stderr, "usage: peers [options] check|forward-auth")
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
	}
	return fmt.Errorf("no such measurement: %s", command)
}
