package main

import (
	"bytes"
	"fmt"
	"io"
	"math/rand"
	"net/http"
	"time"
)

// The data: each person is in one of the groups, each group may read its books.
const (
	people = 1000
	groups = 100
	books  = 100
	// Different questions; more than any of the programs is asked twice in a row.
	questions = 4096
)

// question: may this person read this book? One in eight may not.
type question struct {
	person, group, book int
	allowed             bool
}

func (q question) Book() string {
	return fmt.Sprintf("group-%02d-book-%02d", q.group, q.book)
}

func someQuestions() []question {
	random := rand.New(rand.NewSource(7))
	all := make([]question, questions)
	for n := range all {
		person := random.Intn(people)
		one := question{person: person, group: person % groups, book: random.Intn(books), allowed: true}
		if n%8 == 7 {
			one.group, one.allowed = (one.group+1)%groups, false
		}
		all[n] = one
	}
	return all
}

func checks(options Options) error {
	asked := someQuestions()
	var all []Figures
	for _, one := range []func(Options, []question) ([]Figures, error){checkFalconer, checkOPA, checkSpiceDB} {
		figures, err := one(options, asked)
		if err != nil {
			return err
		}
		all = append(all, figures...)
	}
	title := fmt.Sprintf("May this person read this book? %d people in %d groups, %d books; %d at once, %s each.", people, groups, groups*books, options.Workers, options.Seconds)
	show(title, "checks", all)
	return nil
}

// client keeps a connection for each worker.
func client(workers int) *http.Client {
	return &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: workers, DisableCompression: true}, Timeout: 30 * time.Second}
}

func post(client *http.Client, url string, body []byte) ([]byte, error) {
	return send(client, http.MethodPost, url, body)
}

func send(client *http.Client, method, url string, body []byte) ([]byte, error) {
	request, err := http.NewRequest(method, url, bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	request.Header.Set("Content-Type", "application/json")
	answer, err := client.Do(request)
	if err != nil {
		return nil, err
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	if err == nil && answer.StatusCode >= 300 {
		err = fmt.Errorf("%s %s: %s %s", method, url, answer.Status, text)
	}
	return text, err
}
