package dump

import (
	"bytes"
	"compress/gzip"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/klauspost/compress/zstd"
	"golang.org/x/text/encoding/unicode"

	"recsys/infra/local/db/mysql"
)

const sentence = "-- MySQL dump\nINSERT INTO t VALUES ('Zürich 🙂');\n"

func compressed(t *testing.T, with func(io.Writer) io.WriteCloser) string {
	t.Helper()
	var out bytes.Buffer
	w := with(&out)
	if _, err := io.WriteString(w, sentence); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return out.String()
}

func utf16(t *testing.T, order unicode.Endianness, mark unicode.BOMPolicy) string {
	t.Helper()
	text, err := unicode.UTF16(order, mark).NewEncoder().String(sentence)
	if err != nil {
		t.Fatal(err)
	}
	return text
}

func TestAPackedFileIsReadAsItsText(t *testing.T) {
	gzipped := compressed(t, func(w io.Writer) io.WriteCloser { return gzip.NewWriter(w) })
	zstandard := compressed(t, func(w io.Writer) io.WriteCloser {
		encoder, err := zstd.NewWriter(w)
		if err != nil {
			t.Fatal(err)
		}
		return encoder
	})
	for name, content := range map[string]string{
		"plain":                    sentence,
		"a byte order mark":        "\xef\xbb\xbf" + sentence,
		"UTF-16":                   utf16(t, unicode.LittleEndian, unicode.UseBOM),
		"UTF-16, big end first":    utf16(t, unicode.BigEndian, unicode.UseBOM),
		"UTF-16 without a mark":    utf16(t, unicode.LittleEndian, unicode.IgnoreBOM),
		"UTF-16 BE without a mark": utf16(t, unicode.BigEndian, unicode.IgnoreBOM),
		"gzip":                     gzipped,
		"zstd":                     zstandard,
	} {
		file := write(t, content)
		f, err := Open(file)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		got, err := io.ReadAll(f)
		if err != nil || string(got) != sentence || f.BytesRead() != int64(len(content)) || f.Size != int64(len(content)) {
			t.Errorf("%s: read %q (%v), %d of %d bytes", name, got, err, f.BytesRead(), f.Size)
		}
		if err := f.Close(); err != nil {
			t.Error(err)
		}
		if engine, err := EngineOf(file); err != nil || engine != mysql.MySQL {
			t.Errorf("%s: the engine is %v, %v", name, engine, err)
		}
	}
	// A file that was cut is an error, and not a shorter dump.
	for _, cut := range []string{gzipped[:len(gzipped)-9], zstandard[:len(zstandard)-9]} {
		f, err := Open(write(t, cut))
		if err != nil {
			continue // it is noticed as soon as the file is opened
		}
		if _, err := io.ReadAll(f); err == nil {
			t.Error("a file that was cut was read to an end")
		}
	}
}

func write(t *testing.T, content string) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "shop.sql")
	if err := os.WriteFile(file, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}

func TestOtherFilesAreNamed(t *testing.T) {
	for content, want := range map[string]string{"PK\x03\x04": "zip", "\xfd7zXZ\x00": "xz -d", "PGDMP": "PostgreSQL", "SQLite format 3\x00": "SQLite"} {
		if _, err := Open(write(t, content)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q gave %v", content, err)
		}
	}
}
