// Package loopback is the HTTP server under the emulated AWS services. It has one address of this machine, free
// unless a caller asks for one, and is closed to other origins' web pages (Guard). Its end lets requests under way
// finish.
package loopback

import (
	"context"
	"errors"
	"net"
	"net/http"
	"time"
)

// closeTimeout is how long Close waits for requests under way.
const closeTimeout = 5 * time.Second

// Server is a running HTTP server.
type Server struct {
	http *http.Server
	url  string
}

// Serve listens at addr ("" is 127.0.0.1 and a free port) and answers until Close. ctx bounds the start only.
func Serve(ctx context.Context, addr string, handler http.Handler) (*Server, error) {
	if addr == "" {
		addr = "127.0.0.1:0"
	}
	listener, err := new(net.ListenConfig).Listen(ctx, "tcp", addr)
	if err != nil {
		return nil, err
	}
	server := &Server{
		http: &http.Server{Handler: Guard(handler), ReadHeaderTimeout: 10 * time.Second},
		url:  "http://" + listener.Addr().String(),
	}
	go func() { _ = server.http.Serve(listener) }() // returns when Close is called
	return server, nil
}

// URL is where it listens: http://127.0.0.1:port, without a slash at the end.
func (s *Server) URL() string { return s.url }

// Close stops listening, waits up to 5 seconds for requests under way, then drops them.
func (s *Server) Close() error {
	ctx, cancel := context.WithTimeout(context.Background(), closeTimeout)
	defer cancel()
	err := s.http.Shutdown(ctx)
	if errors.Is(err, context.DeadlineExceeded) {
		return s.http.Close()
	}
	return err
}
