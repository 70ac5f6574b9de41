// Package breaker tells callers at once, instead of after a time limit each, that Falconer is away.
package breaker

import (
	"sync"
	"time"
)

// Failures in a row, after which nothing is asked for a Pause.
const (
	Failures = 5
	Pause    = time.Second
)

// Breaker lets one question try after each pause, while the others are still refused. It never lets anybody in.
type Breaker struct {
	lock     sync.Mutex
	failures int
	until    time.Time
}

// MayAsk says whether this question goes out. Who is told so reports how it went, or nothing: then another one tries after the same pause.
func (b *Breaker) MayAsk(now time.Time) bool {
	b.lock.Lock()
	defer b.lock.Unlock()
	if b.failures < Failures {
		return true
	}
	if b.paused(now) {
		return false
	}
	b.until = now.Add(Pause)
	return true
}

// Paused says whether no question goes out at the moment.
func (b *Breaker) Paused(now time.Time) bool {
	b.lock.Lock()
	defer b.lock.Unlock()
	return b.paused(now)
}

func (b *Breaker) paused(now time.Time) bool {
	return b.failures >= Failures && now.Before(b.until)
}

// Report says how a question went.
func (b *Breaker) Report(answered bool, now time.Time) {
	b.lock.Lock()
	defer b.lock.Unlock()
	if answered {
		b.failures = 0
		return
	}
	b.failures++
	b.until = now.Add(Pause)
}

// Seldom is something that is not to be done again soon.
type Seldom struct {
	lock  sync.Mutex
	until time.Time
}

// Waits says whether it was done a short time ago.
func (s *Seldom) Waits(now time.Time) bool {
	s.lock.Lock()
	defer s.lock.Unlock()
	return now.Before(s.until)
}

// Take is true once in a while: for whoever does it now.
func (s *Seldom) Take(now time.Time, every time.Duration) bool {
	s.lock.Lock()
	defer s.lock.Unlock()
	if now.Before(s.until) {
		return false
	}
	s.until = now.Add(every)
	return true
}
