package main

import (
	"fmt"
	"slices"
	"sync"
	"time"
)

// Figures of one program.
type Figures struct {
	Name             string
	PerSecond        float64
	Middle, Slowest1 time.Duration
	CPU              time.Duration
	MiB              int
}

// measure asks with all workers for a second that does not count, then for the time that counts. `ask` is told its worker and a number.
func measure(options Options, name string, process *Process, ask func(worker, number int) error) (Figures, error) {
	warm := options
	warm.Seconds = time.Second
	if _, err := load(warm, ask); err != nil {
		return Figures{}, fmt.Errorf("%s: %w", name, err)
	}
	before, err := process.cpu()
	if err != nil {
		return Figures{}, err
	}
	began := time.Now()
	took, err := load(options, ask)
	if err != nil {
		return Figures{}, fmt.Errorf("%s: %w", name, err)
	}
	lasted := time.Since(began)
	after, err := process.cpu()
	if err != nil {
		return Figures{}, err
	}
	slices.Sort(took)
	count := len(took)
	return Figures{
		Name:      name,
		PerSecond: float64(count) / lasted.Seconds(),
		Middle:    took[count/2],
		Slowest1:  took[count*99/100],
		CPU:       (after - before) / time.Duration(count),
		MiB:       process.memory(),
	}, nil
}

func load(options Options, ask func(worker, number int) error) ([]time.Duration, error) {
	var lock sync.Mutex
	var all []time.Duration
	var failed error
	var group sync.WaitGroup
	end := time.Now().Add(options.Seconds)
	for worker := range options.Workers {
		group.Add(1)
		go func() {
			defer group.Done()
			var took []time.Duration
			var err error
			for number := worker; err == nil && time.Now().Before(end); number += options.Workers {
				began := time.Now()
				err = ask(worker, number)
				took = append(took, time.Since(began))
			}
			lock.Lock()
			defer lock.Unlock()
			all = append(all, took...)
			if err != nil {
				failed = err
			}
		}()
	}
	group.Wait()
	if failed == nil && len(all) == 0 {
		failed = fmt.Errorf("no answer in %s", options.Seconds)
	}
	return all, failed
}

func show(title, unit string, figures []Figures) {
	fmt.Printf("%s\n\n| | %s a second | median | p99 | CPU each | memory |\n|---|---|---|---|---|---|\n", title, unit)
	for _, one := range figures {
		fmt.Printf("| %s | %.0f | %s | %s | %s | %d MiB |\n", one.Name, one.PerSecond, micros(one.Middle), micros(one.Slowest1), micros(one.CPU), one.MiB)
	}
	fmt.Println()
}

func micros(d time.Duration) string {
	return fmt.Sprintf("%.0f us", float64(d.Nanoseconds())/1000)
}
