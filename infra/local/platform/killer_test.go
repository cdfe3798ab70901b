package platform

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net/url"
	"regexp"
	"slices"
	"sync"

	"recsys/infra/local/aws/awscall"
	"recsys/infra/local/testbed/pgwire"
)

// point is a moment at which a function can be killed: right before or right after something is stored.
type point struct {
	When       string // before or after
	Operation  string // of S3, Glue or Firehose, or the word that commits in PostgreSQL
	Target     string // the object or table, of PostgreSQL none
	Occurrence int    // the how many-th of these, from 1
}

func (p point) String() string {
	return fmt.Sprintf("%s %s %s #%d", p.When, p.Operation, p.Target, p.Occurrence)
}

// changing are parts that differ between two equal executions: a version's number, a record's sequence number.
var changing = regexp.MustCompile(`versions/[0-9]+|[0-9]{20,}`)

var errKilled = errors.New("the caller was killed here")

// killer sees every point that the functions pass, and kills each function (SIGKILL) at one point of its own. It sits
// in the S3, Glue and Firehose servers and in a proxy before PostgreSQL.
type killer struct {
	platform *Platform
	proxy    *pgwire.Proxy

	mu     sync.Mutex
	passed map[string][]point // by function, in order
	counts map[string]int     // by function and point without Occurrence
	doomed map[string]point   // by function: where it is killed, once
	killed int
	faults []error // kills that did not find their victim
}

// route puts the proxy in between: Config.RouteVectorStore.
func (k *killer) route(address string) (string, error) {
	server := "postgres://" + address
	proxy, err := pgwire.Start(context.Background(), server)
	if err != nil {
		return "", err
	}
	k.proxy = proxy
	through, err := proxy.URL(server)
	if err != nil {
		return "", err
	}
	parsed, err := url.Parse(through)
	if err != nil {
		return "", err
	}
	return parsed.Host, nil
}

// watch begins, on a platform that was started with route.
func (k *killer) watch(p *Platform) {
	k.platform = p
	call := func(when string) func(awscall.Call) error {
		return func(c awscall.Call) error {
			target := c.Resource
			if c.Service == "s3" {
				target = fmt.Sprint(c.Bucket, "/", c.Key, c.Keys)
			}
			return k.at(c.Caller.AccessKeyID, when, c.Operation, target, c.Caller.SessionToken)
		}
	}
	commit := func(when string) func(pgwire.Commit) error {
		return func(c pgwire.Commit) error {
			if c.ApplicationName == "export" {
				return nil // it only reads there, and several of it work at once
			}
			return k.at(c.ApplicationName, when, c.Command, "", "")
		}
	}
	hooks := awscall.Hooks{Before: call("before"), After: call("after")}
	p.S3.SetHooks(hooks)
	p.Glue.SetHooks(hooks)
	p.Firehose.SetHooks(hooks)
	k.proxy.SetHooks(pgwire.Hooks{BeforeCommit: commit("before"), AfterCommit: commit("after")})
}

// arm forgets the passed points and dooms functions. Without any, nothing is disturbed.
func (k *killer) arm(doomed map[string]point) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.passed, k.counts, k.doomed = map[string][]point{}, map[string]int{}, maps.Clone(doomed)
	k.killed, k.faults = 0, nil
}

// report tells how many were killed since arm, with the faults of the killing.
func (k *killer) report() (killed int, err error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	for function, at := range k.doomed {
		k.faults = append(k.faults, fmt.Errorf("%s never came to %v", function, at))
	}
	return k.killed, errors.Join(k.faults...)
}

// points are the points that were passed since arm, by function.
func (k *killer) points() map[string][]point {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.passed
}

// at is called at each point. Without a worker's token, which PostgreSQL is not told, it is the function's only one.
func (k *killer) at(function, when, operation, target, worker string) error {
	if !k.meets(function, point{when, operation, changing.ReplaceAllString(target, "…"), 0}) {
		return nil
	}
	if workers := k.platform.Lambda.Workers(function); worker == "" && len(workers) == 1 {
		worker = workers[0]
	}
	found := k.platform.Lambda.Kill(worker) // returns when it is gone
	k.mu.Lock()
	defer k.mu.Unlock()
	k.killed++
	if !found {
		k.faults = append(k.faults, fmt.Errorf("%s was not there to be killed %s %s %s", function, when, operation, target))
	}
	return errKilled
}

// meets counts the point, and tells whether the function dies here.
func (k *killer) meets(function string, at point) bool {
	if !slices.Contains(StepNames(), function) {
		return false // the test itself, or Firehose
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	counted := fmt.Sprint(function, at)
	k.counts[counted]++
	at.Occurrence = k.counts[counted]
	k.passed[function] = append(k.passed[function], at)
	if k.doomed[function] != at {
		return false
	}
	delete(k.doomed, function)
	return true
}

// rest ends the warm workers, because their connections would keep the database.
func (k *killer) rest() {
	for _, function := range StepNames() {
		for _, worker := range k.platform.Lambda.Workers(function) {
			k.platform.Lambda.Kill(worker)
		}
	}
}

// sorted makes the points of concurrent calls comparable.
func sorted(points []point) []point {
	return slices.SortedFunc(slices.Values(points), func(a, b point) int {
		switch {
		case a.String() < b.String():
			return -1
		case a.String() > b.String():
			return 1
		}
		return 0
	})
}
