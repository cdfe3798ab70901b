package sqlfile

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
)

// maxStatement bounds a statement of a file, in bytes: as much as the server takes in one packet.
const maxStatement = 64 << 20

// splitter reads a file of SQL statement by statement, as the mysql client does
// (https://dev.mysql.com/doc/refman/8.4/en/comments.html): a semicolon ends a statement, but not in quotes and
// comments. Comments are left out, except for those that the server executes. Memory is bounded by one statement.
type splitter struct {
	input     *bufio.Reader
	statement bytes.Buffer
	limit     int
	line      int   // of the byte that is read next, from 1
	start     int   // line of the statement's first byte
	read      int64 // bytes
}

func newSplitter(r io.Reader) *splitter {
	return &splitter{input: bufio.NewReaderSize(r, 1<<20), limit: maxStatement, line: 1}
}

// next returns the next statement without its semicolon, valid until the next call, and the line it starts
// on. At the end it returns io.EOF. A file that ends within quotes or a comment is an error.
func (s *splitter) next() (statement []byte, line int, err error) {
	s.statement.Reset()
	for {
		b, err := s.take()
		if err == io.EOF {
			return s.last()
		}
		if err != nil {
			return nil, s.line, err
		}
		switch {
		case b == ';' && s.statement.Len() > 0:
			return s.trimmed(), s.start, nil
		case b == ';':
		case b == '\'' || b == '"' || b == '`':
			err = s.quoted(b)
		case b == '#' || b == '-' && s.dashes():
			err = s.comment("\n", false)
		case b == '/' && s.follows("*!", "*M!"):
			err = s.executed()
		case b == '/' && s.follows("*"):
			err = s.comment("*/", true)
		default:
			err = s.keep(b)
		}
		if err != nil {
			return nil, s.line, err
		}
	}
}

func (s *splitter) last() ([]byte, int, error) {
	if rest := s.trimmed(); len(rest) > 0 {
		return rest, s.start, nil
	}
	return nil, s.line, io.EOF
}

func (s *splitter) trimmed() []byte { return bytes.TrimSpace(s.statement.Bytes()) }

func (s *splitter) take() (byte, error) {
	b, err := s.input.ReadByte()
	if err == nil {
		s.read++
	}
	if b == '\n' && err == nil {
		s.line++
	}
	return b, err
}

// keep adds a byte to the statement; space before the first byte is left out.
func (s *splitter) keep(b byte) error {
	if s.statement.Len() == 0 {
		if b == ' ' || b == '\n' || b == '\r' || b == '\t' {
			return nil
		}
		s.start = s.line
	}
	if s.statement.Len() >= s.limit {
		return fmt.Errorf("the statement that starts on line %d is longer than %d bytes", s.start, s.limit)
	}
	return s.statement.WriteByte(b)
}

// takeAndKeep is a step within quotes and comments, where the file must not end.
func (s *splitter) takeAndKeep(within string) (byte, error) {
	b, err := s.take()
	if err == io.EOF {
		return 0, fmt.Errorf("the file ends within %s of the statement that starts on line %d", within, s.start)
	}
	if err != nil {
		return 0, err
	}
	return b, s.keep(b)
}

// quoted keeps everything to the closing quote. A doubled quote is two quotings in a row, which comes to the same.
func (s *splitter) quoted(quote byte) error {
	if err := s.keep(quote); err != nil {
		return err
	}
	for {
		b, err := s.takeAndKeep("quotes")
		if err != nil || b == quote {
			return err
		}
		if b == '\\' && quote != '`' {
			if _, err := s.takeAndKeep("quotes"); err != nil {
				return err
			}
		}
	}
}

// executed keeps a comment that the server executes, /*! … */, in which quotes quote.
func (s *splitter) executed() error {
	if err := s.keep('/'); err != nil {
		return err
	}
	var before byte
	for {
		next, _ := s.input.Peek(1)
		if len(next) == 1 && (next[0] == '\'' || next[0] == '"' || next[0] == '`') {
			quote, _ := s.take()
			if err := s.quoted(quote); err != nil {
				return err
			}
			before = quote
			continue
		}
		b, err := s.takeAndKeep("a comment")
		if err != nil || before == '*' && b == '/' {
			return err
		}
		before = b
	}
}

// comment leaves out everything through end, and puts a space in its place.
func (s *splitter) comment(end string, mustEnd bool) error {
	start := s.line
	if mustEnd {
		s.take() // the star of the start, which must not count as the end's
	}
	var before byte
	for {
		b, err := s.take()
		switch {
		case err == io.EOF && mustEnd:
			return fmt.Errorf("the file ends within the comment that starts on line %d", start)
		case err == io.EOF:
			return nil
		case err != nil:
			return err
		case b == end[len(end)-1] && (len(end) == 1 || before == end[0]):
			return s.keep(' ')
		}
		before = b
	}
}

// dashes tells whether a second dash and a space or a line's end follow; only then it is a comment.
func (s *splitter) dashes() bool {
	next, err := s.input.Peek(2)
	if err != nil && !errors.Is(err, io.EOF) || len(next) == 0 || next[0] != '-' {
		return false
	}
	return len(next) == 1 || next[1] <= ' '
}

func (s *splitter) follows(texts ...string) bool {
	for _, text := range texts {
		if next, _ := s.input.Peek(len(text)); string(next) == text {
			return true
		}
	}
	return false
}
