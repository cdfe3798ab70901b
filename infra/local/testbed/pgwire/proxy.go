// Package pgwire is a proxy in front of PostgreSQL for tests. It counts the round trips of its clients, calls hooks
// right before and right after each commit, and cuts the line on request.
//
// It promises to hand on every byte as it came, in memory bounded per connection. It knows commits by the wire alone
// (https://www.postgresql.org/docs/17/protocol-message-formats.html): a COMMIT, or statements that write outside of
// an explicit transaction. A SELECT that writes through a function is not known as a commit. It speaks no TLS:
// clients that ask for it are told that there is none.
package pgwire

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/url"
	"sync"
	"sync/atomic"
)

// Commit is a hook's argument.
type Commit struct {
	ApplicationName string // of the connection, as its client named it
	Command         string // first word of the statement that commits: COMMIT, INSERT, COPY, …
}

// Hooks are called on the connection's own goroutine, several at once when several connections commit. An
// error closes the connection instead of handing the message on. A nil hook does nothing.
type Hooks struct {
	// BeforeCommit is called before the message that makes the server commit is handed to it.
	BeforeCommit func(Commit) error
	// AfterCommit is called when the server has confirmed, before the client hears of it.
	AfterCommit func(Commit) error
}

// Proxy listens on the loopback interface and connects each client to the server.
type Proxy struct {
	target   string
	listener net.Listener
	hooks    atomic.Pointer[Hooks]
	trips    atomic.Int64
	accepted atomic.Int64
	running  sync.WaitGroup

	mu    sync.Mutex
	cut   bool
	conns map[net.Conn]struct{}
}

// Start returns when the proxy listens. server is the PostgreSQL's URL.
func Start(ctx context.Context, server string) (*Proxy, error) {
	address, err := url.Parse(server)
	if err != nil || address.Host == "" {
		return nil, errors.New("starting the proxy: the server's URL is not of the form postgres://user@host:port/database")
	}
	target := address.Host
	if address.Port() == "" {
		target = net.JoinHostPort(address.Hostname(), "5432")
	}
	listener, err := new(net.ListenConfig).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return nil, fmt.Errorf("starting the proxy: %w", err)
	}
	p := &Proxy{target: target, listener: listener, conns: map[net.Conn]struct{}{}}
	p.hooks.Store(&Hooks{})
	p.running.Go(p.accept)
	return p, nil
}

// URL is a URL of the server, through the proxy.
func (p *Proxy) URL(server string) (string, error) {
	address, err := url.Parse(server)
	if err != nil {
		return "", errors.New("the server's URL is not a URL")
	}
	address.Host = p.listener.Addr().String()
	query := address.Query()
	query.Set("sslmode", "disable")
	address.RawQuery = query.Encode()
	return address.String(), nil
}

// SetHooks replaces the hooks, from the next commit on.
func (p *Proxy) SetHooks(hooks Hooks) { p.hooks.Store(&hooks) }

// RoundTrips counts the times that clients waited for an answer: messages that ask for one (Query, Sync,
// Flush, FunctionCall), where those that a client sent in one go count once. A COPY FROM STDIN counts with its
// end, since clients send its data without waiting. Connecting is not in it.
func (p *Proxy) RoundTrips() int64 { return p.trips.Load() }

// Connections counts the connections that were let through.
func (p *Proxy) Connections() int64 { return p.accepted.Load() }

// Cut drops all connections and refuses new ones.
func (p *Proxy) Cut() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.cut = true
	for conn := range p.conns {
		conn.Close()
	}
}

// Heal lets connections through again.
func (p *Proxy) Heal() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.cut = false
}

// Close drops all connections and waits for their goroutines, hooks included.
func (p *Proxy) Close() error {
	err := p.listener.Close()
	p.Cut()
	p.running.Wait()
	return err
}

func (p *Proxy) accept() {
	for {
		client, err := p.listener.Accept()
		if err != nil {
			return
		}
		p.running.Go(func() { p.serve(client) })
	}
}

// serve joins a client with a connection of its own to the server, until one of them leaves.
func (p *Proxy) serve(client net.Conn) {
	if !p.admit(client) {
		return
	}
	defer p.dismiss(client)
	server, err := net.Dial("tcp", p.target)
	if err != nil || !p.admit(server) {
		return
	}
	defer p.dismiss(server)
	p.accepted.Add(1)
	s := newSession(p, client, server)
	if !s.startup() {
		return
	}
	var answers sync.WaitGroup
	answers.Go(func() {
		s.forwardAnswers()
		client.Close()
		server.Close()
	})
	s.forwardRequests()
	client.Close()
	server.Close()
	answers.Wait()
}

// admit registers a connection for Cut, or refuses it with a reset, as a host without a server does.
func (p *Proxy) admit(conn net.Conn) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.cut {
		if tcp, ok := conn.(*net.TCPConn); ok {
			tcp.SetLinger(0)
		}
		conn.Close()
		return false
	}
	p.conns[conn] = struct{}{}
	return true
}

func (p *Proxy) dismiss(conn net.Conn) {
	conn.Close()
	p.mu.Lock()
	defer p.mu.Unlock()
	delete(p.conns, conn)
}
