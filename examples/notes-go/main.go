// A small notes service that Falconer protects, with the standard library only.
//
//	FALCONER=https://auth.example.com ORIGIN=https://notes.example.com go run .
//
// It listens on 127.0.0.1:8082, or where LISTEN says, and keeps its notes in notes.json, or where NOTES says. Scopes: notes:read:<book>, notes:write:<book>.
package main

import (
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"os"
	"time"

	falconer "falconer.example/sdk/go"
)

func application(config falconer.Config, notes *notes) (http.Handler, error) {
	config.PayloadHashRequired, config.Identity = true, true
	guard, err := falconer.NewGuard(config)
	if err != nil {
		return nil, err
	}
	mux := http.NewServeMux()
	mux.Handle("GET /books", guard.Identify(http.HandlerFunc(notes.books)))
	guard.HandleFunc(mux, "GET /books/{book}/notes", "notes:read:<book>", notes.read)
	guard.HandleFunc(mux, "PUT /books/{book}/notes/{name}", "notes:write:<book>", notes.write)
	guard.HandleFunc(mux, "DELETE /books/{book}/notes/{name}", "notes:write:<book>", notes.delete)
	return guard.CORS(mux), nil
}

// books shows each caller the books that the caller may read: one question for the whole list.
func (n *notes) books(w http.ResponseWriter, r *http.Request) {
	names := n.names()
	required := make([]falconer.Expression, len(names))
	for i, book := range names {
		required[i] = "notes:read:" + book
	}
	may, refusal := falconer.CallerFrom(r.Context()).HasEach(r.Context(), required)
	if refusal != nil {
		refusal.Write(w, r)
		return
	}
	shown := []string{}
	for i, book := range names {
		if may[i] {
			shown = append(shown, book)
		}
	}
	answer(w, shown)
}

func (n *notes) read(w http.ResponseWriter, r *http.Request) { answer(w, n.of(r.PathValue("book"))) }

// write puts a whole note under its name: made twice, it does no harm, so a request that is repeated does none either.
func (n *notes) write(w http.ResponseWriter, r *http.Request) {
	made := note{Name: r.PathValue("name")}
	sent := json.NewDecoder(http.MaxBytesReader(w, r.Body, 1<<16))
	sent.DisallowUnknownFields()
	var body struct {
		Text *string `json:"text"`
	}
	if err := sent.Decode(&body); err != nil || body.Text == nil {
		http.Error(w, `A note is sent as {"text": "..."}.`, http.StatusBadRequest)
		return
	}
	made.Text = *body.Text
	// Who it was: only if the person agreed to tell. The clientId is for the log.
	if who := falconer.CallerFrom(r.Context()).Identity; who != nil {
		made.Author = &who.ID
	}
	if err := n.put(r.PathValue("book"), made); err != nil {
		problem(w, err)
		return
	}
	answer(w, made)
}

func (n *notes) delete(w http.ResponseWriter, r *http.Request) {
	switch found, err := n.remove(r.PathValue("book"), r.PathValue("name")); {
	case err != nil:
		problem(w, err)
	case !found:
		http.Error(w, "There is no such note.", http.StatusNotFound)
	default:
		w.WriteHeader(http.StatusNoContent)
	}
}

func answer(w http.ResponseWriter, value any) {
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(value)
}

func problem(w http.ResponseWriter, err error) {
	fmt.Fprintln(os.Stderr, err)
	http.Error(w, "The note could not be kept.", http.StatusInternalServerError)
}

func serve(getenv func(string) string) error {
	or := func(name, otherwise string) string {
		if value := getenv(name); value != "" {
			return value
		}
		return otherwise
	}
	kept, err := open(or("NOTES", "notes.json"))
	if err != nil {
		return err
	}
	handler, err := application(falconer.Config{Falconer: getenv("FALCONER"), Origin: getenv("ORIGIN")}, kept)
	if err != nil {
		return fmt.Errorf("FALCONER or ORIGIN: %w", err)
	}
	listener, err := net.Listen("tcp", or("LISTEN", "127.0.0.1:8082"))
	if err != nil {
		return err
	}
	fmt.Println("bound to", listener.Addr())
	server := http.Server{Handler: handler, ReadHeaderTimeout: 10 * time.Second, ReadTimeout: time.Minute}
	return server.Serve(listener)
}

func main() {
	if err := serve(os.Getenv); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}
