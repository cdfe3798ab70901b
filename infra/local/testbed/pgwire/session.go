package pgwire

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"slices"
	"sync"

	"github.com/jackc/pgx/v5/pgproto3"
)

const (
	bufferSize = 64 << 10
	// inspected bounds the part of a message that is held to look into it. A statement's words lie well within.
	inspected = 32 << 10
	// maxStartup is PostgreSQL's own limit of a startup packet (MAX_STARTUP_PACKET_LENGTH).
	maxStartup = 10000
)

// session is one client's connection with the proxy's knowledge of it.
type session struct {
	proxy      *Proxy
	client     *bufio.ReadWriter
	server     *bufio.ReadWriter
	name       string // application_name
	statements map[string]statement
	portals    map[string]statement
	asked      request // since the last Query or Sync
	inBlock    bool    // in an explicit transaction, as far as the requests tell

	mu          sync.Mutex
	waiting     []request // for their ReadyForQuery, oldest first
	status      byte      // of the last ReadyForQuery: I, T or E
	failedAhead bool      // an error came for the request that is not at its Sync yet
}

func newSession(proxy *Proxy, client, server net.Conn) *session {
	buffered := func(conn net.Conn) *bufio.ReadWriter {
		return bufio.NewReadWriter(bufio.NewReaderSize(conn, bufferSize), bufio.NewWriterSize(conn, bufferSize))
	}
	return &session{
		proxy: proxy, client: buffered(client), server: buffered(server),
		statements: map[string]statement{}, portals: map[string]statement{},
		// The server's first ReadyForQuery answers the startup.
		waiting: []request{{}}, status: 'I',
	}
}

// startup hands on the packets before the first typed message. It reports whether a session follows.
func (s *session) startup() bool {
	for {
		header, err := s.client.Peek(8)
		if err != nil {
			return false
		}
		length, code := binary.BigEndian.Uint32(header), binary.BigEndian.Uint32(header[4:])
		if length < 8 || length > maxStartup {
			return false
		}
		packet := make([]byte, length)
		if _, err := io.ReadFull(s.client, packet); err != nil {
			return false
		}
		switch code {
		case sslRequest, gssRequest:
			if s.client.WriteByte('N') != nil || s.client.Flush() != nil {
				return false
			}
			continue
		case cancelRequest:
			s.server.Write(packet)
			s.server.Flush()
			return false
		}
		var started pgproto3.StartupMessage
		if err := started.Decode(packet[4:]); err != nil {
			return false
		}
		s.name = started.Parameters["application_name"]
		if _, err := s.server.Write(packet); err != nil {
			return false
		}
		return s.server.Flush() == nil
	}
}

// Codes in the place of a startup packet's protocol version.
const (
	cancelRequest = 80877102
	sslRequest    = 80877103
	gssRequest    = 80877104
)

// forwardRequests hands the client's messages to the server until one of them leaves or a hook says so.
func (s *session) forwardRequests() error {
	return forward(s.client.Reader, s.server.Writer, s.request)
}

// forwardAnswers hands the server's messages to the client.
func (s *session) forwardAnswers() error {
	return forward(s.server.Reader, s.client.Writer, s.answer)
}

var errMessage = errors.New("a message of impossible length")

// message is the part of a message that is looked at.
type message struct {
	kind byte
	body []byte // its beginning, of the types that matter
	last bool   // nothing more has arrived behind it
}

// forward hands messages on. look is called with each message before any of it is handed on. Held bytes are flushed
// as soon as no more have arrived.
func forward(from *bufio.Reader, to *bufio.Writer, look func(message) error) error {
	for {
		header, err := from.Peek(5)
		if err != nil {
			return err
		}
		kind, length := header[0], int64(binary.BigEndian.Uint32(header[1:]))
		if length < 4 {
			return errMessage
		}
		// The bytes ahead may take their time to arrive.
		if int64(from.Buffered()) < 1+length {
			if err := to.Flush(); err != nil {
				return err
			}
		}
		seen := message{kind: kind}
		if looksInto(kind) {
			start, err := from.Peek(int(min(1+length, inspected)))
			if err != nil {
				return err
			}
			seen.body = start[5:]
		}
		seen.last = int64(from.Buffered()) <= 1+length
		if err := look(seen); err != nil {
			return err
		}
		if _, err := io.CopyN(to, from, 1+length); err != nil {
			return fmt.Errorf("handing on a message: %w", err)
		}
		if from.Buffered() == 0 {
			if err := to.Flush(); err != nil {
				return err
			}
		}
	}
}

// looksInto reports the types, of either side, with bodies that matter here.
func looksInto(kind byte) bool { return bytes.IndexByte([]byte("QPBECZ"), kind) >= 0 }

// request is one Query, or the messages up to a Sync.
type request struct {
	statements []statement
	commit     statement // the one that commits, or kind other
	failed     bool      // the server answered with an error
}

// request looks at a client's message.
func (s *session) request(m message) error {
	switch m.kind {
	case 'P':
		name, text := cString(m.body)
		sql, _ := cString(text)
		s.statements[name] = first(parse(sql))
	case 'B':
		portal, rest := cString(m.body)
		name, _ := cString(rest)
		s.portals[portal] = s.statements[name]
	case 'E':
		portal, _ := cString(m.body)
		return s.execute(s.portals[portal])
	case 'Q':
		sql, _ := cString(m.body)
		s.asked.statements = parse(sql)
		if !slices.ContainsFunc(s.asked.statements, statement.isCopyIn) {
			s.countTrip(m)
		}
		return s.before(s.ask())
	case 'S', 'F':
		s.countTrip(m)
		if commit := s.ask(); commit.kind != commits {
			return s.before(commit)
		}
	case 'H', 'f':
		s.countTrip(m)
	case 'c':
		s.countTrip(m)
		return s.copied()
	}
	return nil
}

// execute: a COMMIT of the extended protocol takes effect with its Execute, before the Sync.
func (s *session) execute(executed statement) error {
	_, open := conclude(s.asked.statements, s.blockOpen())
	s.asked.statements = append(s.asked.statements, executed)
	if executed.kind == commits && open {
		return s.before(executed)
	}
	return nil
}

// ask is called for a message that ReadyForQuery will answer, and returns the commit that comes with it.
func (s *session) ask() statement {
	asked := s.asked
	s.asked = request{}
	asked.commit, s.inBlock = conclude(asked.statements, s.blockOpen())
	s.mu.Lock()
	defer s.mu.Unlock()
	asked.failed, s.failedAhead = s.failedAhead, false
	s.waiting = append(s.waiting, asked)
	if asked.commit.kind == copiesIn {
		return statement{} // it commits with its CopyDone
	}
	return asked.commit
}

// copied is the end of a COPY FROM STDIN.
func (s *session) copied() error {
	s.mu.Lock()
	var commit statement
	if len(s.waiting) > 0 {
		commit = s.waiting[len(s.waiting)-1].commit
	}
	s.mu.Unlock()
	return s.before(commit)
}

// blockOpen tells whether an explicit transaction is open after all requests so far: as the server said, or,
// while it has answers to give, as the requests will have it.
func (s *session) blockOpen() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.waiting) == 0 {
		return s.status != 'I'
	}
	return s.inBlock
}

// countTrip counts a message that asks for an answer, if it is the last that the client has sent so far.
func (s *session) countTrip(m message) {
	if m.last {
		s.proxy.trips.Add(1)
	}
}

// answer looks at a server's message.
func (s *session) answer(m message) error {
	if confirmed := s.confirmed(m); confirmed.kind != other {
		return s.hook(s.proxy.hooks.Load().AfterCommit, confirmed)
	}
	return nil
}

// confirmed is the statement whose commit a server's message confirms: of an explicit one that is its
// CommandComplete (after an error it says ROLLBACK), of any other the ReadyForQuery.
func (s *session) confirmed(m message) statement {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.waiting) == 0 {
		// The server reports an error at once, maybe before the Sync has passed here.
		s.failedAhead = s.failedAhead || m.kind == 'E'
		return statement{}
	}
	oldest := &s.waiting[0]
	switch m.kind {
	case 'E':
		oldest.failed = true
	case 'C':
		if tag, _ := cString(m.body); tag == "COMMIT" && oldest.commit.kind == commits {
			return oldest.commit
		}
	case 'Z':
		answered := *oldest
		s.waiting = s.waiting[1:]
		if len(m.body) > 0 {
			s.status = m.body[0]
		}
		if !answered.failed && answered.commit.kind != commits {
			return answered.commit
		}
	}
	return statement{}
}

func (s *session) before(commit statement) error {
	if commit.kind == other {
		return nil
	}
	return s.hook(s.proxy.hooks.Load().BeforeCommit, commit)
}

func (s *session) hook(hook func(Commit) error, commit statement) error {
	if hook == nil {
		return nil
	}
	return hook(Commit{s.name, commit.command})
}

// cString splits a zero-terminated string off. One that is cut short is taken as it is.
func cString(body []byte) (string, []byte) {
	text, rest, _ := bytes.Cut(body, []byte{0})
	return string(text), rest
}
