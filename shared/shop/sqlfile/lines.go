package sqlfile

import (
	"bytes"
	"io"
)

// noise begins lines that dump programs write to their error output, and that a shell put into the file.
var noise = [][]byte{
	[]byte("mysqldump:"), []byte("mariadb-dump:"), []byte("mysqlpump:"), []byte("mysql:"), []byte("mariadb:"),
	[]byte("Warning: A partial dump"),
}

// prompt stands in front of the first line, which is the file's own.
var prompt = []byte("Enter password:")

// maxWord is more than the longest name in noise and the longest line of USE or DELIMITER.
const maxWord = 512

// skipLines leaves out spaces, the dump program's messages and DELIMITER commands in front of a statement.
func (s *Splitter) skipLines() error {
	for {
		next, err := s.input.Peek(maxWord)
		if err != nil && err != io.EOF && len(next) == 0 {
			return err
		}
		switch {
		case len(next) > 0 && isSpace(next[0]):
			s.drop(1)
		case bytes.HasPrefix(next, prompt):
			s.drop(len(prompt))
		case isNoise(next):
			if err := s.comment("\n", false); err != nil {
				return err
			}
		case isCommand(next, "DELIMITER"):
			line := firstLine(next)
			if words := bytes.Fields(line[len("DELIMITER"):]); len(words) > 0 {
				s.delimiter = string(words[0])
			}
			s.drop(len(line))
		default:
			return nil
		}
	}
}

func isNoise(next []byte) bool {
	for _, begin := range noise {
		if bytes.HasPrefix(next, begin) {
			return true
		}
	}
	return false
}

// isBareUse reports a line USE name without a delimiter, which the mysql client takes.
func (s *Splitter) isBareUse() bool {
	next, _ := s.input.Peek(maxWord)
	return isCommand(next, "USE") && len(firstLine(next)) < maxWord && !bytes.Contains(firstLine(next), []byte(s.delimiter))
}

func (s *Splitter) bareUse() ([]byte, int, error) {
	next, _ := s.input.Peek(maxWord)
	line := firstLine(next)
	s.start = s.line
	s.statement.Write(line)
	s.drop(len(line))
	return s.trimmed(), s.start, nil
}

func isCommand(next []byte, word string) bool {
	return len(next) > len(word) && bytes.EqualFold(next[:len(word)], []byte(word)) && isSpace(next[len(word)])
}

func isSpace(b byte) bool { return b == ' ' || b == '\t' || b == '\r' || b == '\n' }

// firstLine is text up to its first line's end, or all of it.
func firstLine(text []byte) []byte {
	if end := bytes.IndexByte(text, '\n'); end >= 0 {
		return text[:end]
	}
	return text
}

// drop reads n bytes that are there and forgets them.
func (s *Splitter) drop(n int) {
	for range n {
		s.take()
	}
}
