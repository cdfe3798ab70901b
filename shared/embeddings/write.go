package embeddings

import (
	"bufio"
	"fmt"
	"io"
	"strconv"
	"strings"
)

// Write writes a file of embeddings: that of ids[i] is vectors[i*dimension:(i+1)*dimension]. What a Reader would refuse is
// left out: a vector of zeros, which points nowhere and which no index holds, and an item's code that is longer than an
// id may be or has a quote in it. It returns how many it has written. The shortest digits that make the same float32
// lose nothing. Errors are w's.
func Write[ID int32 | string](w io.Writer, ids []ID, vectors []float32, dimension int) (written int, err error) {
	buffered := bufio.NewWriterSize(w, 64<<10)
	line := []byte("id,embedding\n")
	for i, id := range ids {
		vector := vectors[i*dimension : (i+1)*dimension]
		if !isID(id) || isZero(vector) {
			continue
		}
		line = appendVectorLine(line, id, vector)
		if _, err := buffered.Write(line); err != nil {
			return written, fmt.Errorf("writing embeddings: %w", err)
		}
		line, written = line[:0], written+1
	}
	if _, err := buffered.Write(line); err != nil { // the header, where there is nothing else
		return written, fmt.Errorf("writing embeddings: %w", err)
	}
	if err := buffered.Flush(); err != nil {
		return written, fmt.Errorf("writing embeddings: %w", err)
	}
	return written, nil
}

func appendVectorLine[ID int32 | string](line []byte, id ID, vector []float32) []byte {
	switch id := any(id).(type) {
	case int32:
		line = strconv.AppendInt(line, int64(id), 10)
	case string: // in quotes, since it may hold a comma
		line = append(append(append(line, '"'), id...), '"')
	}
	line = append(line, `,"[`...)
	for k, number := range vector {
		if k > 0 {
			line = append(line, ',')
		}
		line = strconv.AppendFloat(line, float64(number), 'g', -1, 32)
	}
	return append(line, "]\"\n"...)
}

func isID[ID int32 | string](id ID) bool {
	code, isItem := any(id).(string)
	if !isItem {
		return true
	}
	_, reason := itemID([]byte(code))
	return reason == "" && !strings.Contains(code, `"`)
}

// isZero is true of what a Reader takes for a vector without a direction.
func isZero(vector []float32) bool {
	var square float32
	for _, number := range vector {
		square += number * number
	}
	return square == 0
}
