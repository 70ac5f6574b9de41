package tests

import (
	"fmt"
	"io"
	"net"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// rawScenario is a request that no client library would send.
type rawScenario struct {
	scenario
	Send          string
	WhenContinued *string
	HalfClose     bool
}

type rawOutcome struct {
	Answers []struct {
		Status   []int
		Reason   string
		Headers  map[string]*string
		Body     *string
		Optional bool
	}
	Never     string
	Continues *bool
}

var (
	filler  = regexp.MustCompile(`<(\d+) bytes>`)
	answers = regexp.MustCompile(`HTTP/1\.[01] \d{3} `)
)

// rawBytes is a text of a case: each character is one byte, but for what stands in angle brackets.
func rawBytes(given string, replace *strings.Replacer) []byte {
	given = filler.ReplaceAllStringFunc(replace.Replace(given), func(found string) string {
		length, _ := strconv.Atoi(filler.FindStringSubmatch(found)[1])
		return strings.Repeat(".", length)
	})
	var sent []byte
	for _, letter := range given {
		sent = append(sent, byte(letter))
	}
	return sent
}

// exchange gives what came back until the other side closed.
func exchange(t *testing.T, origin *url.URL, given rawScenario) string {
	t.Helper()
	replace := strings.NewReplacer("<host>", origin.Host)
	if given.Caller != nil {
		made := credentialsOf(t, given.scenario)
		signed := send(t, origin, given.scenario, &made)
		_, bewit, _ := strings.Cut(signed.URL.RawQuery, "bewit=")
		replace = strings.NewReplacer("<host>", origin.Host, "<signature>", signed.Header.Get("Authorization"), "<bewit>", "bewit="+bewit)
	}
	connection, err := net.Dial("tcp", origin.Host)
	if err != nil {
		t.Fatal(err)
	}
	defer connection.Close()
	// It may be answered before all of it was read.
	_, _ = connection.Write(rawBytes(given.Send, replace))
	if given.HalfClose {
		_ = connection.(*net.TCPConn).CloseWrite()
	}
	var said []byte
	part := make([]byte, 65536)
	for given.WhenContinued != nil && !strings.Contains(string(said), "\r\n\r\n") {
		n, err := connection.Read(part)
		said = append(said, part[:n]...)
		if err != nil {
			return string(said)
		}
	}
	if strings.HasPrefix(string(said), "HTTP/1.1 100 ") {
		_, _ = connection.Write(rawBytes(*given.WhenContinued, replace))
	}
	// A reset is an end, too.
	rest, _ := io.ReadAll(connection)
	return string(append(said, rest...))
}

// judgeRaw gives what is not as expected.
func judgeRaw(said string, expected rawOutcome) error {
	compact := func(given string) string { return strings.ReplaceAll(given, `": "`, `":"`) }
	if expected.Never != "" && strings.Contains(compact(said), expected.Never) {
		return fmt.Errorf("it holds %s", expected.Never)
	}
	begins := answers.FindAllStringIndex(said, -1)
	continued := false
	var parts []string
	for at, begin := range begins {
		end := len(said)
		if at+1 < len(begins) {
			end = begins[at+1][0]
		}
		if strings.HasPrefix(said[begin[0]:], "HTTP/1.1 100 ") {
			continued = true
			continue
		}
		parts = append(parts, said[begin[0]:end])
	}
	if expected.Continues != nil && *expected.Continues != continued {
		return fmt.Errorf("whether it asked for the body: %t", continued)
	}
	if len(parts) > len(expected.Answers) {
		return fmt.Errorf("%d answers", len(parts))
	}
	for at, answer := range expected.Answers {
		if at >= len(parts) {
			if !answer.Optional {
				return fmt.Errorf("answer %d is missing", at)
			}
			continue
		}
		head, body, _ := strings.Cut(parts[at], "\r\n\r\n")
		status, _ := strconv.Atoi(strings.Fields(head)[1])
		if !slices.Contains(answer.Status, status) {
			return fmt.Errorf("answer %d is a %d", at, status)
		}
		if status != answer.Status[0] {
			continue
		}
		if answer.Reason != "" && !strings.Contains(compact(body), `"reason":"`+answer.Reason+`"`) {
			return fmt.Errorf("another reason than %s", answer.Reason)
		}
		if answer.Body != nil && (!strings.Contains(compact(body), *answer.Body) || (*answer.Body == "" && body != "")) {
			return fmt.Errorf("another body than %q", *answer.Body)
		}
		for name, want := range answer.Headers {
			if found := headerOf(head, name); found != text(want, "") {
				return fmt.Errorf("%s: %q", name, found)
			}
		}
	}
	return nil
}

func headerOf(head, name string) string {
	for _, line := range strings.Split(head, "\r\n")[1:] {
		if found, value, _ := strings.Cut(line, ": "); strings.EqualFold(found, name) {
			return value
		}
	}
	return ""
}

func TestRawRequests(t *testing.T) {
	cases := vectors[rawScenario, rawOutcome](t, "ours/raw-requests")
	if len(cases) < 71 {
		t.Errorf("only %d cases", len(cases))
	}
	for _, c := range cases {
		t.Run(c.Name, func(t *testing.T) {
			said := exchange(t, notes(t, server(t).Root, c.Input.scenario), c.Input)
			if err := judgeRaw(said, c.Expected); err != nil {
				t.Errorf("%v: %.2000s", err, said)
			}
		})
	}
}
