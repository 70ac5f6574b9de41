package main

import (
	"fmt"
	"net/url"
	"os/exec"
	"strconv"
	"strings"
)

// newDatabase makes one in the PostgreSQL of the options, in the place of one of that name, and gives its address and the process of the server.
func newDatabase(options Options, name string) (string, int, error) {
	for _, statement := range []string{"drop database if exists " + name + " with (force)", "create database " + name} {
		if _, err := psql(options.Postgres, statement); err != nil {
			return "", 0, err
		}
	}
	text, err := psql(options.Postgres, "select split_part(pg_read_file('postmaster.pid'), E'\\n', 1)")
	if err != nil {
		return "", 0, err
	}
	pid, err := strconv.Atoi(text)
	if err != nil {
		return "", 0, fmt.Errorf("the process of PostgreSQL: %w", err)
	}
	address, err := url.Parse(options.Postgres)
	if err != nil {
		return "", 0, err
	}
	address.Path = "/" + name
	return address.String(), pid, nil
}

func psql(address, statement string) (string, error) {
	text, err := exec.Command("psql", "--no-psqlrc", "-At", address, "-c", statement).CombinedOutput()
	if err != nil {
		err = fmt.Errorf("psql: %w: %s", err, text)
	}
	return strings.TrimSpace(string(text)), err
}
