package main

import (
	"regexp"
	"slices"
	"strings"
	"testing"
)

// CloudFormation refuses a template with resources that wait for each other, or for a missing one. Nothing else here
// looks for it.
func TestReferencesLeadSomewhereAndNotInCircles(t *testing.T) {
	each(t, func(t *testing.T, s template) {
		edges := map[string][]string{}
		for id, r := range s.Resources {
			edges[id] = append(references(r.Properties), dependencies(r)...)
			for _, to := range edges[id] {
				if _, found := s.Resources[to]; !found {
					t.Errorf("%s refers to %s, which is not there", id, to)
				}
			}
		}
		for id := range s.Outputs {
			for _, to := range references(s.Outputs[id].Value) {
				if _, found := s.Resources[to]; !found {
					t.Errorf("output %s refers to %s, which is not there", id, to)
				}
			}
		}
		if circle := circle(edges); circle != nil {
			t.Errorf("these wait for each other: %s", strings.Join(circle, " → "))
		}
	})
}

func dependencies(r resource) []string {
	if r.DependsOn == nil {
		return nil
	}
	return texts(r.DependsOn)
}

var substituted = regexp.MustCompile(`\$\{([A-Za-z0-9]+)[.}]`)

// references are the ids that a value of a template refers to. AWS's own names have colons.
func references(value any) []string {
	var found []string
	switch value := value.(type) {
	case []any:
		for _, one := range value {
			found = append(found, references(one)...)
		}
	case map[string]any:
		for key, inner := range value {
			switch text, isText := inner.(string); {
			case key == "Ref" && isText:
				if !strings.Contains(text, "::") {
					found = append(found, text)
				}
			case key == "Fn::GetAtt":
				found = append(found, spell(inner.([]any)[0]))
			case key == "Fn::Sub" && isText:
				for _, match := range substituted.FindAllStringSubmatch(text, -1) {
					found = append(found, match[1])
				}
			default:
				found = append(found, references(inner)...)
			}
		}
	}
	return found
}

// circle is a way from a node back to itself, or nil.
func circle(edges map[string][]string) []string {
	done := map[string]bool{}
	var visit func(id string, way []string) []string
	visit = func(id string, way []string) []string {
		if at := slices.Index(way, id); at >= 0 {
			return append(way[at:], id)
		}
		if done[id] {
			return nil
		}
		for _, next := range edges[id] {
			if found := visit(next, append(slices.Clone(way), id)); found != nil {
				return found
			}
		}
		done[id] = true
		return nil
	}
	for id := range edges {
		if found := visit(id, nil); found != nil {
			return found
		}
	}
	return nil
}
