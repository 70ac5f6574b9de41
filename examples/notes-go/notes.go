package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"os"
	"slices"
	"sync"
)

type note struct {
	Name   string  `json:"name"`
	Text   string  `json:"text"`
	Author *string `json:"author"`
}

// notes are kept in one file, which is written anew for each change: it is whole, or as it was before.
type notes struct {
	path string
	lock sync.RWMutex
	// By book, and by name.
	kept map[string]map[string]note
}

func open(path string) (*notes, error) {
	n := &notes{path: path, kept: map[string]map[string]note{}}
	text, err := os.ReadFile(path)
	if errors.Is(err, os.ErrNotExist) {
		return n, nil
	}
	if err == nil {
		err = json.Unmarshal(text, &n.kept)
	}
	if err != nil {
		return nil, fmt.Errorf("NOTES: %s: %w", path, err)
	}
	return n, nil
}

func (n *notes) names() []string {
	n.lock.RLock()
	defer n.lock.RUnlock()
	return sorted(n.kept)
}

func (n *notes) of(book string) []note {
	n.lock.RLock()
	defer n.lock.RUnlock()
	found := []note{}
	for _, name := range sorted(n.kept[book]) {
		found = append(found, n.kept[book][name])
	}
	return found
}

func (n *notes) put(book string, made note) error {
	return n.change(book, func(inside map[string]note) { inside[made.Name] = made })
}

func (n *notes) remove(book, name string) (found bool, err error) {
	err = n.change(book, func(inside map[string]note) {
		_, found = inside[name]
		delete(inside, name)
	})
	return found, err
}

// change writes the file before anybody reads what is new.
func (n *notes) change(book string, edit func(map[string]note)) error {
	n.lock.Lock()
	defer n.lock.Unlock()
	inside := maps.Clone(n.kept[book])
	if inside == nil {
		inside = map[string]note{}
	}
	edit(inside)
	all := maps.Clone(n.kept)
	if all[book] = inside; len(inside) == 0 {
		delete(all, book)
	}
	text, err := json.Marshal(all)
	if err != nil {
		return err
	}
	if err := os.WriteFile(n.path+".new", text, 0o600); err != nil {
		return err
	}
	if err := os.Rename(n.path+".new", n.path); err != nil {
		return err
	}
	n.kept = all
	return nil
}

func sorted[V any](of map[string]V) []string {
	keys := make([]string, 0, len(of))
	for key := range of {
		keys = append(keys, key)
	}
	slices.Sort(keys)
	return keys
}
