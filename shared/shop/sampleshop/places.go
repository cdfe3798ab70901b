package sampleshop

// country is where customers live. postal is the pattern of its postal codes: '#' is a digit, '@' a letter.
type country struct {
	name   string
	postal string
}

// city lies in countries[country]. state is empty if addresses have none.
type city struct {
	name    string
	state   string
	country int
}

var countries = []country{
	{"USA", "#####"}, {"France", "#####"}, {"Norway", "####"}, {"Germany", "#####"}, {"Brazil", "#####-###"},
	{"Japan", "###-####"}, {"Canada", "@#@ #@#"}, {"Australia", "####"}, {"Ireland", "@## @#@#"}, {"Spain", "#####"},
	{"Denmark", "####"}, {"Switzerland", "####"}, {"Portugal", "####-###"}, {"Poland", "##-###"}, {"Italy", "#####"},
	{"UK", "@@# #@@"}, {"Sweden", "### ##"}, {"New Zealand", "####"}, {"Côte d'Ivoire", ""}, {"Hong Kong", ""},
}

// cities stand in the order of their numbers of customers. The first ones have the most.
var cities = []city{
	{"Portland", "OR", 0}, {"Lyon", "", 1}, {"Bergen", "", 2}, {"Köln", "", 3}, {"Sapporo", "Hokkaidō", 5},
	{"Boise", "ID", 0}, {"Toulouse", "", 1}, {"Curitiba", "PR", 4}, {"Halifax", "NS", 6}, {"Hobart", "Tasmania", 7},
	{"Tulsa", "OK", 0}, {"Galway", "", 8}, {"Zaragoza", "", 9}, {"Århus", "", 10}, {"Zürich", "", 11},
	{"Duluth", "MN", 0}, {"Coimbra", "", 12}, {"Łódź", "", 13}, {"Perugia", "", 14}, {"Bristol", "", 15},
	{"Tucson", "AZ", 0}, {"Malmö", "", 16}, {"Dunedin", "", 17}, {"Brest", "", 1}, {"Dresden", "", 3},
	{"Savannah", "GA", 0}, {"Tromsø", "", 2}, {"Kanazawa", "Ishikawa", 5}, {"São Luís", "MA", 4}, {"Victoria", "BC", 6},
	{"Albany", "NY", 0}, {"St. John's", "NL", 6}, {"Geelong", "Victoria", 7}, {"Cork", "", 8}, {"Gijón", "", 9},
	{"Odense", "", 10}, {"Basel", "", 11}, {"Braga", "", 12}, {"Gdańsk", "", 13}, {"Trieste", "", 14},
	{"Dundee", "", 15}, {"Uppsala", "", 16}, {"Nelson", "", 17}, {"Abidjan", "", 18}, {"Hong Kong", "", 19},
	{"Rostock", "", 3}, {"Stavanger", "", 2}, {"Nîmes", "", 1},
}

// strangeCities are where some sessions come from and no customer lives.
var strangeCities = []struct{ city, country string }{
	{"Reykjavík", "Iceland"}, {"Montevideo", "Uruguay"}, {"Windhoek", "Namibia"}, {"Tartu", "Estonia"}, {"", ""},
}
