package platform

import (
	"testing"
)

// emptied empties the source after a good run: nothing is published unless the input accepts it. It leaves the source as
// it was.
func emptied(t *testing.T, p *Platform) {
	inSource(t, p, "create table kept as select * from ratings", "delete from ratings")
	before := visible(t, p)
	_, failed := execute(t, p, "emptied", 30, trainingData)
	wantFailure(t, failed, "SourceShrank", "0 ratings instead of 1000", "0 customers with ratings instead of 40", "acceptShrunkSource")
	wantNothingOf(t, p, "emptied")
	if got := visible(t, p); got != before {
		t.Errorf("readers see something else:\n%s\nbefore:\n%s", got, before)
	}
	out, failed := execute(t, p, "accepted", 31, `{"stages":"training-data","acceptShrunkSource":true}`)
	if failed != nil || out.TrainingData.Status != "published" || out.TrainingData.Rows != 0 {
		t.Errorf("accepted: %+v, %v", out, failed)
	}
	inSource(t, p, "insert into ratings select * from kept", "drop table kept")
}

// halfStars changes the type of the ratings from run to run: Athena's column follows.
func halfStars(t *testing.T, p *Platform) {
	columnType := func() string {
		columns := glueTable(t, p).Table.StorageDescriptor.Columns
		return *columns[len(columns)-1].Type
	}
	inSource(t, p, "delete from ratings where productRating is null or productRating not between 1 and 5",
		"alter table ratings modify productRating decimal(2,1)", "update ratings set productRating = productRating - 0.5")
	out, failed := execute(t, p, "half-stars", 40, trainingData)
	if failed != nil || out.TrainingData.Rows != looseRatings || columnType() != "decimal(3,2)" {
		t.Errorf("half stars: %+v, %v, a column of %s", out, failed, columnType())
	}
	inSource(t, p, "update ratings set productRating = productRating + 0.5", "alter table ratings modify productRating int")
	out, failed = execute(t, p, "whole-stars", 41, trainingData)
	if failed != nil || out.TrainingData.Rows != looseRatings || columnType() != "int" {
		t.Errorf("whole stars: %+v, %v, a column of %s", out, failed, columnType())
	}
}
