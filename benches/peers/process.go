package main

import (
	"bytes"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

// ticks of CPU a second in /proc; the same on every Linux.
const ticks = 100

// Process is a program that is measured.
type Process struct {
	command *exec.Cmd
	log     string
	pid     int
	// Others whose share counts too.
	others []*Process
	// What it keeps its records in: its CPU counts too, its memory does not, because it is what the database was set to take.
	database int
}

// and counts another process's share as well.
func (p *Process) and(other *Process) *Process {
	p.others = append(p.others, other)
	return p
}

func start(folder, name, program string, arguments ...string) (*Process, error) {
	log := filepath.Join(folder, name+".log")
	file, err := os.Create(log)
	if err != nil {
		return nil, err
	}
	command := exec.Command(program, arguments...)
	command.Stdout, command.Stderr, command.Env = file, file, environment()
	if err := command.Start(); err != nil {
		return nil, err
	}
	return &Process{command: command, log: log, pid: command.Process.Pid}, nil
}

// environment is ours without what would change a Falconer's settings.
func environment() []string {
	var kept []string
	for _, one := range os.Environ() {
		if !strings.HasPrefix(one, "FALCONER_") && !strings.HasPrefix(one, "TASKCLUSTER_") {
			kept = append(kept, one)
		}
	}
	return kept
}

func (p *Process) stop() {
	_ = p.command.Process.Kill()
	_ = p.command.Wait()
}

// listens waits until somebody does on the address.
func (p *Process) listens(address string) error {
	for deadline := time.Now().Add(30 * time.Second); time.Now().Before(deadline); time.Sleep(20 * time.Millisecond) {
		if connection, err := net.DialTimeout("tcp", address, time.Second); err == nil {
			return connection.Close()
		}
	}
	written, _ := os.ReadFile(p.log)
	return fmt.Errorf("nothing listens on %s: %s", address, bytes.TrimSpace(written))
}

// cpu is the user and system time of the process and its children's processes that run still.
func (p *Process) cpu() (time.Duration, error) {
	var total time.Duration
	pids := p.pids()
	if p.database != 0 {
		pids = append(pids, family(p.database)...)
	}
	for _, pid := range pids {
		text, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
		if err != nil {
			return 0, err
		}
		fields := strings.Fields(string(text[bytes.LastIndexByte(text, ')')+1:]))
		for _, field := range fields[11:13] {
			n, err := strconv.Atoi(field)
			if err != nil {
				return 0, err
			}
			total += time.Duration(n) * time.Second / ticks
		}
	}
	return total, nil
}

// memory is what the processes hold, in MiB.
func (p *Process) memory() int {
	pages := 0
	for _, pid := range p.pids() {
		text, _ := os.ReadFile(fmt.Sprintf("/proc/%d/statm", pid))
		if fields := strings.Fields(string(text)); len(fields) > 1 {
			n, _ := strconv.Atoi(fields[1])
			pages += n
		}
	}
	return pages * os.Getpagesize() >> 20
}

func (p *Process) pids() []int {
	all := family(p.pid)
	for _, other := range p.others {
		all = append(all, other.pids()...)
	}
	return all
}

func family(pid int) []int {
	all := []int{pid}
	text, _ := os.ReadFile(fmt.Sprintf("/proc/%d/task/%d/children", pid, pid))
	for _, field := range strings.Fields(string(text)) {
		if child, err := strconv.Atoi(field); err == nil {
			all = append(all, family(child)...)
		}
	}
	return all
}

func freePort() (string, error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	defer listener.Close()
	return listener.Addr().String(), nil
}

func port(address string) (int, error) {
	_, text, err := net.SplitHostPort(address)
	if err != nil {
		return 0, err
	}
	return strconv.Atoi(text)
}
