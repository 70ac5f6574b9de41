package falconer

import (
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"strings"
)

// Expression is what a call needs: a scope (a string), an AllOf or an AnyOf. In the requirement of a route, `<book>` is a parameter of its path.
type Expression any

// AllOf is satisfied by who satisfies each member.
type AllOf []Expression

// AnyOf is satisfied by who satisfies one member.
type AnyOf []Expression

// MarshalJSON gives the protocol's form.
func (list AllOf) MarshalJSON() ([]byte, error) {
	return json.Marshal(map[string][]Expression{"AllOf": append([]Expression{}, list...)})
}

// MarshalJSON gives the protocol's form.
func (list AnyOf) MarshalJSON() ([]byte, error) {
	return json.Marshal(map[string][]Expression{"AnyOf": append([]Expression{}, list...)})
}

const deepest = 8

var (
	parameter   = regexp.MustCompile(`<([a-zA-Z_][a-zA-Z0-9_]*)>`)
	ofPattern   = regexp.MustCompile(`\{([a-zA-Z_][a-zA-Z0-9_]*)(?:\.\.\.)?\}`)
	outsideText = regexp.MustCompile(`[^ -~]`)
)

// Requirement is an expression that was checked, with its parameters.
type Requirement struct {
	expression Expression
	names      []string
}

// NewRequirement checks what would fail at each call: an empty scope, an empty list, a `<` without `>`, a nesting of more than eight.
func NewRequirement(expression Expression) (*Requirement, error) {
	r := &Requirement{expression: expression}
	if err := r.read(expression, 0); err != nil {
		shown, problem := json.Marshal(expression)
		if problem != nil {
			shown = []byte(fmt.Sprintf("%T", expression))
		}
		return nil, fmt.Errorf("the scope expression %s cannot be used: %w", unescaped(shown), err)
	}
	return r, nil
}

// unescaped undoes what json.Marshal does for pages.
func unescaped(text []byte) string {
	return strings.NewReplacer(`\u003c`, "<", `\u003e`, ">", `\u0026`, "&").Replace(string(text))
}

// Fit says which parameter a pattern of net/http's mux lacks.
func (r *Requirement) Fit(pattern string) error {
	var has []string
	for _, found := range ofPattern.FindAllStringSubmatch(pattern, -1) {
		has = append(has, found[1])
	}
	for _, name := range r.names {
		if !slices.Contains(has, name) {
			known := "no parameters"
			if len(has) > 0 {
				known = "<" + strings.Join(has, ">, <") + ">"
			}
			return fmt.Errorf("the route %q needs a scope with <%s>, and its pattern has no such parameter: it has %s", pattern, name, known)
		}
	}
	return nil
}

func (r *Requirement) read(expression Expression, depth int) error {
	if depth > deepest {
		return fmt.Errorf("it is nested more than %d deep", deepest)
	}
	var members []Expression
	switch node := expression.(type) {
	case string:
		return r.scope(node)
	case AllOf:
		members = node
	case AnyOf:
		members = node
	default:
		return fmt.Errorf("a %T is no string, AllOf or AnyOf", expression)
	}
	if len(members) == 0 {
		return fmt.Errorf("an empty AllOf asks for nothing, and nobody satisfies an empty AnyOf")
	}
	for _, member := range members {
		if err := r.read(member, depth+1); err != nil {
			return err
		}
	}
	return nil
}

func (r *Requirement) scope(scope string) error {
	if scope == "" {
		return fmt.Errorf("a scope is empty")
	}
	if outsideText.MatchString(scope) {
		return fmt.Errorf("%q has a character outside of printable ASCII", scope)
	}
	if strings.ContainsAny(parameter.ReplaceAllString(scope, ""), "<>") {
		return fmt.Errorf("`%s` has a `<` or `>` that is no part of a parameter such as <book>", scope)
	}
	for _, found := range parameter.FindAllStringSubmatch(scope, -1) {
		if !slices.Contains(r.names, found[1]) {
			r.names = append(r.names, found[1])
		}
	}
	return nil
}

// Fill gives the expression for one request. A value that may not stand in a scope is refused, never cleaned: cleaned, two values would need the same scope.
func (r *Requirement) Fill(value func(name string) string) (Expression, *Refusal) {
	return r.fill(func(name string) (string, bool) { return value(name), true })
}

// fill is the same where a parameter may be missing, which no caller can help.
func (r *Requirement) fill(value func(name string) (string, bool)) (Expression, *Refusal) {
	values := map[string]string{}
	for _, name := range r.names {
		text, found := value(name)
		switch {
		case !found:
			return nil, misconfigured("the scopes of a route need its parameter <" + name + ">, and the request has none")
		case text == "":
			return nil, badParameter("the parameter `" + name + "` of the path is empty")
		case outsideText.MatchString(text):
			return nil, badParameter("the parameter `" + name + "` of the path has a character outside of printable ASCII")
		case strings.HasSuffix(text, "*"):
			return nil, badParameter("the parameter `" + name + "` of the path ends with a star")
		}
		values[name] = text
	}
	return filled(r.expression, values), nil
}

func filled(expression Expression, values map[string]string) Expression {
	all := func(members []Expression) []Expression {
		done := make([]Expression, len(members))
		for i, member := range members {
			done[i] = filled(member, values)
		}
		return done
	}
	switch node := expression.(type) {
	case AllOf:
		return AllOf(all(node))
	case AnyOf:
		return AnyOf(all(node))
	case string:
		return parameter.ReplaceAllStringFunc(node, func(found string) string { return values[found[1:len(found)-1]] })
	}
	return expression
}
