package shape

// Lab is the shop of the sample database, classicmodels with the table ratings. It needs no shop file.
var Lab = Shop{
	Customer: ID{Name: "customerNumber", Type: Int},
	Product:  ID{Name: "productCode", Type: Text},
	CustomerColumns: []Column{
		{Name: "city", Role: Category, Type: Text, Missing: "incomplete-address"},
		{Name: "state", Role: Remark, Type: Text},
		{Name: "postalCode", Role: Remark, Type: Text},
		{Name: "country", Role: Category, Type: Text, Missing: "incomplete-address"},
		{Name: "creditLimit", Role: Number, Type: Money, Bad: "credit-limit-out-of-range"},
	},
	ProductColumns: []Column{
		{Name: "productLine", Role: Category, Type: Text, Missing: "incomplete-product"},
		{Name: "productScale", Role: Category, Type: Text, Missing: "incomplete-product"},
		{Name: "quantityInStock", Role: Stock, Type: Int, Missing: "no-quantity-in-stock", Bad: "quantity-in-stock-out-of-range"},
		{Name: "buyPrice", Role: Price, Type: Money, Missing: "no-price", Bad: "price-out-of-range"},
		{Name: "MSRP", Role: Price, Type: Money, Missing: "no-price", Bad: "price-out-of-range"},
	},
	InteractionColumns: []Column{{Name: "productRating", Role: Stars, Type: Int, Missing: "no-rating"}},
	Group:              "country",
	Line:               "productLine",
	Meaning:            Meaning{Exclude: []string{Rating}},
	Layout:             ByCustomer,
}
