package loopback

import (
	"fmt"
	"net"
	"net/http"
	"strings"
)

// Guard refuses requests that a web page of another origin makes a browser send, with 403 Forbidden. A browser on this
// machine reaches every port of it, and sends a request like a form's without asking the server first.
//
// Host must be a loopback address or localhost: a name that an attacker points at 127.0.0.1 makes a page of that name
// same-origin. The port is not compared, because a browser cannot choose it and a forwarded port is another one.
func Guard(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if reason := foreign(r); reason != "" {
			http.Error(w, "AccessDenied: "+reason, http.StatusForbidden)
			return
		}
		next.ServeHTTP(w, r)
	})
}

// foreign returns why a request is not served, and "" for the requests of programs.
func foreign(r *http.Request) string {
	if !isLoopback(r.Host) {
		return fmt.Sprintf("the Host %q is not this machine: use the address that the server printed", r.Host)
	}
	for _, origin := range r.Header.Values("Origin") {
		if !strings.EqualFold(origin, "http://"+r.Host) {
			return fmt.Sprintf("pages of the origin %q may not use this server", origin)
		}
	}
	// A browser leaves Origin out of an image's or a script's request, and puts this in.
	switch site := r.Header.Get("Sec-Fetch-Site"); site {
	case "", "none", "same-origin":
		return ""
	default:
		return "a page of another origin may not use this server (Sec-Fetch-Site: " + site + ")"
	}
}

func isLoopback(host string) bool {
	name, _, err := net.SplitHostPort(host)
	if err != nil {
		name = strings.Trim(host, "[]") // no port: the scheme's own
	}
	return strings.EqualFold(name, "localhost") || net.ParseIP(name).IsLoopback()
}
