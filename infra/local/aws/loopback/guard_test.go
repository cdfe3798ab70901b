package loopback_test

import (
	"net/http"
	"strings"
	"testing"

	"recsys/infra/local/aws/loopback"
)

// Foreign and own requests as browsers and programs send them. Each server has this test's rules in front.
func TestGuardRefusesOtherOriginsAndForeignNames(t *testing.T) {
	served := 0
	server, err := loopback.Serve(t.Context(), "", http.HandlerFunc(func(http.ResponseWriter, *http.Request) { served++ }))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { server.Close() })
	own := strings.TrimPrefix(server.URL(), "http://")
	_, port, _ := strings.Cut(own, ":")
	for _, test := range []struct {
		name, host string
		header     http.Header
		status     int
	}{
		{"a program", own, nil, 200},
		{"localhost", "localhost:" + port, nil, 200},
		{"IPv6", "[::1]:" + port, nil, 200},
		{"a forwarded port", "127.0.0.1:1", nil, 200},
		{"no port", "127.0.0.1", nil, 200},
		{"its own page", own, http.Header{"Origin": {"http://" + own}, "Sec-Fetch-Site": {"same-origin"}}, 200},
		{"an address typed in", own, http.Header{"Sec-Fetch-Site": {"none"}}, 200},
		{"a name that points here", "rebound.example:" + port, nil, 403},
		{"a name that begins like this machine", "127.0.0.1.example:" + port, nil, 403},
		{"another machine", "192.168.1.2:" + port, nil, 403},
		{"a page's fetch", own, http.Header{"Origin": {"http://evil.example"}}, 403},
		{"a page of another port", own, http.Header{"Origin": {"http://127.0.0.1:1"}}, 403},
		{"a page of a file", own, http.Header{"Origin": {"null"}}, 403},
		{"two origins", own, http.Header{"Origin": {"http://" + own, "http://evil.example"}}, 403},
		{"a page's image", own, http.Header{"Sec-Fetch-Site": {"cross-site"}}, 403},
		{"an image of another port's page", own, http.Header{"Sec-Fetch-Site": {"same-site"}}, 403},
	} {
		before := served
		answer := send(t, server.URL(), test.host, test.header)
		if answer.StatusCode != test.status || (served > before) != (test.status == 200) {
			t.Errorf("%s: status %d, served %t", test.name, answer.StatusCode, served > before)
		}
		if allowed := answer.Header.Get("Access-Control-Allow-Origin"); allowed != "" {
			t.Errorf("%s: pages of %s may read the answer", test.name, allowed)
		}
	}
}

func send(t *testing.T, url, host string, header http.Header) *http.Response {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, url, strings.NewReader("{}"))
	if err != nil {
		t.Fatal(err)
	}
	if header != nil {
		request.Header = header
	}
	request.Host = host
	answer, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	answer.Body.Close()
	return answer
}
