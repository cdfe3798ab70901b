package sampleshop

import (
	_ "embed"
	"fmt"
	"io"
)

//go:embed schema.sql
var schema string

const (
	prologue = "-- A shop that was made up: %[2]d customers, %[3]d products, %[4]d ratings, taste strength %[5]v, seed %[6]d.\n" +
		"SET NAMES utf8mb4;\nCREATE DATABASE IF NOT EXISTS `%[1]s` DEFAULT CHARACTER SET utf8mb4;\nUSE `%[1]s`;\n"
	// As mysqldump does: the keys hold, checking them row by row only costs time.
	checksOff = "/*!40014 SET @OLD_UNIQUE_CHECKS=@@UNIQUE_CHECKS, UNIQUE_CHECKS=0 */;\n" +
		"/*!40014 SET @OLD_FOREIGN_KEY_CHECKS=@@FOREIGN_KEY_CHECKS, FOREIGN_KEY_CHECKS=0 */;\n\n"
	checksOn = "\n/*!40014 SET FOREIGN_KEY_CHECKS=@OLD_FOREIGN_KEY_CHECKS */;\n" +
		"/*!40014 SET UNIQUE_CHECKS=@OLD_UNIQUE_CHECKS */;\n"
)

// WriteSQL writes the shop as MySQL statements that MariaDB and MySQL 8 load: the database, its nine tables
// (dropped first when they exist) and their rows. Statements are at most about 260 kB. Errors are those of
// Validate and of w.
func WriteSQL(w io.Writer, o Options) error {
	s, err := newShop(o)
	if err != nil {
		return err
	}
	if err := s.writeSQL(w); err != nil {
		return fmt.Errorf("writing the sample shop as SQL: %w", err)
	}
	return nil
}

func (s *shop) writeSQL(w io.Writer) error {
	_, err := fmt.Fprintf(w, prologue, s.Database, s.Customers, s.Products, s.Ratings, s.TasteStrength, s.Seed)
	if err != nil {
		return err
	}
	if _, err := io.WriteString(w, checksOff+schema); err != nil {
		return err
	}
	if err := s.writeFixed(w); err != nil {
		return err
	}
	if err := s.writeProducts(w); err != nil {
		return err
	}
	if err := s.writeCustomers(w); err != nil {
		return err
	}
	_, err = io.WriteString(w, checksOn)
	return err
}

// writeFixed writes the tables whose size does not depend on the options.
func (s *shop) writeFixed(w io.Writer) error {
	lineRows := newInsert("productlines", "`productLine`,`textDescription`,`htmlDescription`,`image`")
	for _, l := range lines {
		lineRows.row().str(l.name).str(l.text).null().null().end()
	}
	c := newChance(s.Seed).of(kindStaff, 1)
	officeRows := newInsert("offices", "`officeCode`,`city`,`phone`,`addressLine1`,`addressLine2`,`state`,`country`,`postalCode`,`territory`")
	for i, f := range offices {
		officeRows.row().str(fmt.Sprint(i+1)).str(f.city).str(fmt.Sprintf("+%d 555 %04d", i+1, c.below(10_000))).
			str(fmt.Sprintf("%d %s", c.between(1, 90), pick(c, streets))).null().strOrNull(f.state, f.state == "").
			str(f.country).str(fill(c, "#####")).str(f.territory).end()
	}
	employeeRows := newInsert("employees", "`employeeNumber`,`lastName`,`firstName`,`extension`,`email`,`officeCode`,`reportsTo`,`jobTitle`")
	for _, e := range s.staff() {
		employeeRows.row().int(e.number).str(e.lastName).str(e.firstName).str(fmt.Sprintf("x%d", e.number)).
			str(e.email()).str(e.office).intOrNull(e.reportsTo).str(e.title).end()
	}
	return flush(w, lineRows, officeRows, employeeRows)
}

func (s *shop) writeProducts(w io.Writer) error {
	rows := newInsert("products", "`productCode`,`productName`,`productLine`,`productScale`,`productVendor`,"+
		"`productDescription`,`quantityInStock`,`buyPrice`,`MSRP`")
	for i := range s.products {
		p := &s.products[i]
		rows.row().str(p.code).str(p.name).str(p.line).str(p.scale).str(p.vendor).str(p.text).
			int(p.stock).money(p.buyPrice).money(p.msrp).end()
		if rows.full() {
			if err := rows.flush(w); err != nil {
				return err
			}
		}
	}
	return flush(w, rows)
}

// customerTables are the tables that grow with the customers, in the order in which their keys refer to each other.
type customerTables struct {
	customers, orders, details, payments, ratings *insert
}

func newCustomerTables() customerTables {
	return customerTables{
		customers: newInsert("customers", "`customerNumber`,`customerName`,`contactLastName`,`contactFirstName`,`phone`,"+
			"`addressLine1`,`addressLine2`,`city`,`state`,`postalCode`,`country`,`salesRepEmployeeNumber`,`creditLimit`"),
		orders:   newInsert("orders", "`orderNumber`,`orderDate`,`requiredDate`,`shippedDate`,`status`,`comments`,`customerNumber`"),
		details:  newInsert("orderdetails", "`orderNumber`,`productCode`,`quantityOrdered`,`priceEach`,`orderLineNumber`"),
		payments: newInsert("payments", "`customerNumber`,`checkNumber`,`paymentDate`,`amount`"),
		ratings:  newInsert("ratings", "`customerNumber`,`productCode`,`productRating`"),
	}
}

func (t customerTables) all() []*insert {
	return []*insert{t.customers, t.orders, t.details, t.payments, t.ratings}
}

// writeCustomers makes each customer once, with all that belongs to them. As soon as one table has a buffer
// full all are written, referred tables first: a small shop comes table by table, a big one in slices.
func (s *shop) writeCustomers(w io.Writer) error {
	t := newCustomerTables()
	var orders []order
	number := firstOrder
	for b := s.baskets(); ; {
		u, bought, ok := b.step()
		if !ok {
			return flush(w, t.all()...)
		}
		t.addCustomer(&u)
		if !s.OmitOrders {
			orders = s.orders(b.chance, bought, number, orders)
			number += len(orders)
			t.addOrders(s, u.number, orders)
		}
		for _, r := range bought {
			if r.value > 0 {
				t.ratings.row().int(u.number).str(s.products[r.product].code).int(r.value).end()
			}
		}
		if t.ratings.full() || t.details.full() || t.customers.full() {
			if err := flush(w, t.all()...); err != nil {
				return err
			}
		}
	}
}

func (t customerTables) addCustomer(u *customer) {
	row := t.customers.row().int(u.number).str(u.name).str(u.lastName).str(u.firstName).str(u.phone).str(u.address).
		strOrNull(u.address2, u.address2 == "").str(u.city).strOrNull(u.state, u.stateIsNull).
		strOrNull(u.postal, u.postalIsNull).str(u.country).intOrNull(u.representative)
	if u.credit == noCredit {
		row.null().end()
	} else {
		row.money(u.credit).end()
	}
}

func (t customerTables) addOrders(s *shop, customerNumber int, orders []order) {
	for i := range orders {
		o := &orders[i]
		t.orders.row().int(o.number).date(o.ordered).date(o.required).date(o.shipped).str(o.status).
			strOrNull(o.remark, o.remark == "").int(customerNumber).end()
		for n, l := range o.lines {
			t.details.row().int(o.number).str(s.products[l.product].code).int(l.quantity).money(l.price).int(n + 1).end()
		}
		if !o.shipped.IsZero() {
			t.payments.row().int(customerNumber).str(fmt.Sprintf("CK%d", o.number)).date(o.shipped.AddDate(0, 0, 9)).money(o.total).end()
		}
	}
}

func flush(w io.Writer, tables ...*insert) error {
	for _, t := range tables {
		if err := t.flush(w); err != nil {
			return err
		}
	}
	return nil
}
