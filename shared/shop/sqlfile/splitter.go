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

// Splitter reads a file of SQL statement by statement, as the mysql client does
// (https://dev.mysql.com/doc/refman/9.7/en/comments.html). A semicolon outside quotes and comments ends a statement.
// DELIMITER chooses another end. Comments are left out, except for those that the server executes. Memory is bounded
// by one statement. The client's other commands are no SQL, and nothing here runs them.
type Splitter struct {
	// PlainBackslashes is the SQL mode NO_BACKSLASH_ESCAPES, in which a backslash is a letter.
	PlainBackslashes bool

	input     *bufio.Reader
	statement bytes.Buffer
	delimiter string
	executed  bool // inside a comment that the server executes
	limit     int
	line      int   // of the byte that is read next, from 1
	start     int   // line of the statement's first byte
	read      int64 // bytes
}

// NewSplitter returns a Splitter at the beginning of a file.
func NewSplitter(r io.Reader) *Splitter {
	return &Splitter{input: bufio.NewReaderSize(r, 1<<20), delimiter: ";", limit: maxStatement, line: 1}
}

// Next returns the next statement without its delimiter, valid until the next call, and the line it starts
// on. At the end it returns io.EOF. A file that ends within quotes or a comment is an error.
func (s *Splitter) Next() (statement []byte, line int, err error) {
	s.statement.Reset()
	for {
		if s.statement.Len() == 0 {
			if err := s.skipLines(); err != nil {
				return nil, s.line, err
			}
			if s.isBareUse() {
				return s.bareUse()
			}
		}
		b, err := s.take()
		if err == io.EOF {
			return s.last()
		}
		if err != nil {
			return nil, s.line, err
		}
		if !s.executed && b == s.delimiter[0] && s.follows(s.delimiter[1:]) {
			s.drop(len(s.delimiter) - 1)
			if s.statement.Len() > 0 {
				return s.trimmed(), s.start, nil
			}
			continue
		}
		if err := s.part(b); err != nil {
			return nil, s.line, err
		}
	}
}

// part keeps the part that begins with b: quotes as a whole, a comment not at all, anything else byte by byte.
func (s *Splitter) part(b byte) error {
	switch {
	case b == '\'' || b == '"' || b == '`':
		return s.quoted(b)
	case b == '#' || b == '-' && s.dashes():
		return s.comment("\n", false)
	case b == '/' && s.follows("*!999999", "*M!999999"):
		return s.comment("*/", true) // no server is that new
	case b == '/' && s.follows("*!", "*M!"):
		s.executed = true
		return errors.Join(s.keep(b), s.keepNext()) // the star, which must not count as the end's
	case b == '/' && s.follows("*"):
		return s.comment("*/", true)
	case b == '*' && s.executed && s.follows("/"):
		s.executed = false
		return errors.Join(s.keep(b), s.keepNext())
	}
	return s.keep(b)
}

func (s *Splitter) keepNext() error {
	b, err := s.take()
	if err != nil {
		return err
	}
	return s.keep(b)
}

func (s *Splitter) last() ([]byte, int, error) {
	if s.executed {
		return nil, s.line, fmt.Errorf("the file ends within a comment of the statement that starts on line %d", s.start)
	}
	if rest := s.trimmed(); len(rest) > 0 {
		return rest, s.start, nil
	}
	return nil, s.line, io.EOF
}

func (s *Splitter) trimmed() []byte { return bytes.TrimSpace(s.statement.Bytes()) }

func (s *Splitter) take() (byte, error) {
	b, err := s.input.ReadByte()
	if err == nil {
		s.read++
	}
	if b == '\n' && err == nil {
		s.line++
	}
	return b, err
}

// keep adds a byte to the statement. Space before the first byte is left out.
func (s *Splitter) keep(b byte) error {
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

// takeAndKeep is a step within quotes, where the file must not end.
func (s *Splitter) takeAndKeep() (byte, error) {
	b, err := s.take()
	if err == io.EOF {
		return 0, fmt.Errorf("the file ends within quotes of the statement that starts on line %d", s.start)
	}
	if err != nil {
		return 0, err
	}
	return b, s.keep(b)
}

// quoted keeps everything to the closing quote. A doubled quote is two quotings in a row, which comes to the same.
func (s *Splitter) quoted(quote byte) error {
	if err := s.keep(quote); err != nil {
		return err
	}
	for {
		b, err := s.takeAndKeep()
		if err != nil || b == quote {
			return err
		}
		if b == '\\' && quote != '`' && !s.PlainBackslashes {
			if _, err := s.takeAndKeep(); err != nil {
				return err
			}
		}
	}
}

// comment leaves out everything through end, and puts a space in its place.
func (s *Splitter) comment(end string, mustEnd bool) error {
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

// dashes reports whether a second dash and a space or a line's end follow. Only then it is a comment.
func (s *Splitter) dashes() bool {
	next, err := s.input.Peek(2)
	if err != nil && !errors.Is(err, io.EOF) || len(next) == 0 || next[0] != '-' {
		return false
	}
	return len(next) == 1 || next[1] <= ' '
}

func (s *Splitter) follows(texts ...string) bool {
	for _, text := range texts {
		if next, _ := s.input.Peek(len(text)); string(next) == text {
			return true
		}
	}
	return false
}
