// Package console is the web page of a deployment: what runs, what the shop holds, which versions there are, and what they
// recommend. It is for the person who operates it, on their own machine.
//
// Promise: it reads what exists and keeps nothing. It listens on loopback. An action needs the page's token and a request of the
// page's own origin. A page loads nothing from elsewhere. Spec: docs/local.md, "The console".
package console

import (
	"bytes"
	"context"
	"crypto/rand"
	"crypto/subtle"
	"embed"
	"errors"
	"fmt"
	"html/template"
	"io/fs"
	"log/slog"
	"net/http"
	"strings"

	"recsys/infra/local/aws/loopback"
	"recsys/shared/learn/evaluation/report"
)

//go:embed pages assets
var files embed.FS

// Server is a running console.
type Server struct {
	*loopback.Server
	source Source
	token  string // of every form that changes something
	shop   shopCache
	pages  map[string]*template.Template
}

// maxForm bounds the body of a request, in bytes.
const maxForm = 16 << 10

// Serve answers at addr ("" is 127.0.0.1 and a free port) until Close. ctx bounds the start only.
func Serve(ctx context.Context, addr string, source Source) (*Server, error) {
	s := &Server{source: source, token: rand.Text()}
	var err error
	if s.pages, err = parsePages(); err != nil {
		return nil, err
	}
	handler, err := s.routes()
	if err != nil {
		return nil, err
	}
	if s.Server, err = loopback.Serve(ctx, addr, handler); err != nil {
		return nil, fmt.Errorf("starting the console: %w", err)
	}
	return s, nil
}

// page is what a handler shows: the data of a template.
type page func(ctx context.Context, r *http.Request) (any, error)

func (s *Server) routes() (http.Handler, error) {
	style, err := report.Style()
	if err != nil {
		return nil, err
	}
	assets, err := fs.Sub(files, "assets")
	if err != nil {
		return nil, err
	}
	mux := http.NewServeMux()
	mux.Handle("GET /assets/", http.StripPrefix("/assets/", http.FileServerFS(assets)))
	mux.HandleFunc("GET /assets/charts.css", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/css; charset=utf-8")
		_, _ = w.Write([]byte(style))
	})
	for path, show := range map[string]struct {
		name string
		page page
	}{
		"/{$}": {"now", s.now}, "/live": {"live", s.now}, "/shop": {"shop", s.shopPage}, "/models": {"models", s.models},
		"/try": {"try", s.try}, "/data": {"data", s.data},
	} {
		mux.HandleFunc("GET "+path, func(w http.ResponseWriter, r *http.Request) { s.show(w, r, show.name, show.page) })
	}
	mux.HandleFunc("GET /report", s.reportPage)
	mux.HandleFunc("POST /start", s.action(s.startRun))
	mux.HandleFunc("POST /activate", s.action(s.activate))
	return s.headers(mux), nil
}

// headers lets a page load what is its own, and nothing else.
func (s *Server) headers(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("Content-Security-Policy", "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self' data:; connect-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'")
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("Referrer-Policy", "same-origin")
		h.Set("Cache-Control", "no-store")
		r.Body = http.MaxBytesReader(w, r.Body, maxForm)
		next.ServeHTTP(w, r)
	})
}

// frame is what all pages have.
type frame struct {
	Page, Place, Token string
	ReadOnly           bool
	Content            any
	Error              string // what could not be read
}

func (s *Server) show(w http.ResponseWriter, r *http.Request, name string, show page) {
	ctx, cancel := bounded(r.Context())
	defer cancel()
	f := frame{Page: name, Place: s.source.Place, Token: s.token, ReadOnly: s.source.ReadOnly}
	content, err := show(ctx, r)
	if f.Content = content; err != nil {
		slog.WarnContext(ctx, "a page of the console is not whole", "page", name, "error", err)
		f.Error, f.Content = err.Error(), nil
	}
	var text bytes.Buffer
	if err := s.pages[name].Execute(&text, f); err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	_, _ = w.Write(text.Bytes())
}

// action lets a request change something if the page may, and the request is the page's own.
func (s *Server) action(do func(ctx context.Context, r *http.Request) (next string, err error)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		if why := s.refusal(r); why != "" {
			http.Error(w, why, http.StatusForbidden)
			return
		}
		ctx, cancel := bounded(r.Context())
		defer cancel()
		next, err := do(ctx, r)
		if err != nil {
			status := http.StatusBadGateway
			if errors.As(err, new(*wrongInput)) {
				status = http.StatusBadRequest
			}
			http.Error(w, err.Error(), status)
			return
		}
		http.Redirect(w, r, next, http.StatusSeeOther)
	}
}

// wrongInput is a form that the console does not understand.
type wrongInput struct{ what string }

func (e *wrongInput) Error() string { return e.what }

// refusal says why a request may not change anything. The loopback server has checked that an Origin is the page's own, if
// there is one.
func (s *Server) refusal(r *http.Request) string {
	switch {
	case s.source.ReadOnly:
		return "this console only reads: start it with --allow-changes"
	case r.Header.Get("Origin") == "":
		return "an action needs a request from the console's own page"
	case subtle.ConstantTimeCompare([]byte(r.PostFormValue("token")), []byte(s.token)) != 1:
		return "the form is not this console's: load the page again"
	}
	return ""
}

// parsePages reads the templates. Each page is the layout with a content of its own. The live part stands alone, too.
func parsePages() (map[string]*template.Template, error) {
	shared := template.New("").Funcs(functions)
	for _, file := range []string{"pages/layout.gohtml", "pages/live.gohtml"} {
		if err := parse(shared, file); err != nil {
			return nil, err
		}
	}
	pages := map[string]*template.Template{"live": shared.Lookup("live")}
	for _, name := range []string{"now", "shop", "models", "try", "data"} {
		of, err := shared.Clone()
		if err != nil {
			return nil, fmt.Errorf("preparing the page %s: %w", name, err)
		}
		if err := parse(of, "pages/"+name+".gohtml"); err != nil {
			return nil, err
		}
		pages[name] = of.Lookup("layout")
	}
	return pages, nil
}

func parse(into *template.Template, file string) error {
	text, err := files.ReadFile(file)
	if err != nil {
		return fmt.Errorf("reading %s: %w", file, err)
	}
	_, err = into.New(strings.TrimPrefix(file, "pages/")).Parse(string(text))
	return err
}
