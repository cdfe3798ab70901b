package platform

import (
	"fmt"
	"strings"
	"testing"

	"recsys/infra/local/testbed"
)

// Shops of odd data run to an end that says what there was: to a snapshot and answers, or to a failure with a name. The
// hundred columns are the most that a file may declare.
func TestOddShops(t *testing.T) {
	if !testbed.Long() {
		t.Skip("ten runs of odd shops; -long makes them")
	}
	t.Parallel()
	p := startPlatform(t, func(c *Config) {
		c.SourceSQL, c.Options.RowsPerRange, c.Options.Search.Search = []string{looseShop(t)}, 100, "off"
		c.Options.Factors, c.Options.Iterations = 8, 1
	})
	inSource(t, p, "create table odd (customer bigint unsigned, product varchar(40), at datetime, key (customer))",
		"create table numbers with recursive n as (select 1 as n union all select n + 1 from n where n < 300) select * from n")
	var selected, declared []string
	for i := range 100 {
		selected, declared = append(selected, fmt.Sprintf("%d as c%[1]d", i)), append(declared, fmt.Sprintf("c%d: category", i))
	}
	plain := writeShop(t, "odd", "interactions: {odd: {type: purchase, query: 'SELECT customer, product, at FROM odd WHERE {{range customer}}'}}\n")
	wide := writeShop(t, "wide", "interactions: {odd: {type: purchase, query: 'SELECT customer, product, at FROM odd WHERE {{range customer}}'}}\n"+
		"customers:\n  query: SELECT DISTINCT customer, "+strings.Join(selected, ", ")+" FROM odd WHERE {{range customer}}\n  columns: {"+strings.Join(declared, ", ")+"}\n")
	for i, c := range []struct {
		name, file, fill string
		rows, skipped    int64
		training         string // its status
		failure          string
	}{
		{"nobody", plain, "select 1, 'a', now() from numbers where false", 0, 0, "too-few-ratings", ""},
		{"guests alone", plain, "select nullif(n, n), concat('p', n % 9), '2024-01-01' + interval n hour from numbers", 0, 300, "too-few-ratings", ""},
		{"one customer", plain, "select 7, concat('p', n % 9), '2024-01-01' + interval n hour from numbers", 300, 0, "too-few-ratings", ""},
		{"all in one second", plain, "select n % 40 + 1, concat('p', n % 9), '2024-01-01 10:00:00' from numbers", 300, 0, "trained", ""},
		{"the largest id", plain, "select 9223372036854775807 - n % 40, concat('p', n % 9), '2024-01-01' + interval n hour from numbers", 300, 0, "trained", ""},
		{"beyond the largest id", plain, "select 9223372036854775808 + n % 40, concat('p', n % 9), '2024-01-01' + interval n hour from numbers", 0, 0, "", "TooManyRejectedRows"},
		{"a hundred columns", wide, "select n % 40 + 1, concat('p', n % 9), '2024-01-01' + interval n hour from numbers", 300, 0, "trained", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			inSource(t, p, "delete from odd", "insert into odd "+c.fill)
			deployShop(t, p, c.file)
			run := fmt.Sprint("odd-", i)
			out, failed := execute(t, p, run, i, `{"train":true,"acceptShrunkSource":true}`)
			if c.failure != "" {
				wantFailure(t, failed, c.failure, "customer-number-out-of-range")
				wantNothingOf(t, p, run)
				return
			}
			if failed != nil {
				t.Fatal(failed)
			}
			manifest := manifestOf(t, p, run)
			if out.TrainingData.Status != "published" || manifest.Rows != c.rows || manifest.Skipped["guest"] != c.skipped || out.Training.Status != c.training {
				t.Errorf("%+v, skipped %v", out, manifest.Skipped)
			}
			if read := readDataSet(t, p, run, "customer, product"); c.rows > 0 && int64(len(read.Rows)) != c.rows {
				t.Errorf("DuckDB reads %d rows", len(read.Rows))
			}
			wantOddAnswers(t, p, c.rows > 0)
		})
	}
}

// wantOddAnswers sends records of ids within and beyond the type of the customers' ids. No record keeps the others from
// their answers.
func wantOddAnswers(t *testing.T, p *Platform, some bool) {
	t.Helper()
	var records []string
	for _, customer := range []string{"18446744073709551615", `"x"`, "1", `"9223372036854775807"`, "null"} {
		records = append(records, `{"session_id":"s","customer":`+customer+`,"browse_history":[]}`)
	}
	for i, answer := range ask(t, p, records...) {
		switch unreadable := i < 2; {
		case (answer.Rejected != "") != unreadable:
			t.Errorf("%s: rejected as %q, want %t", records[i], answer.Rejected, unreadable)
		case !unreadable && (len(answer.Recommended) > 0) != some:
			t.Errorf("%s: answered with %+v, want goods: %t", records[i], answer.Answer, some)
		}
	}
}
