package sampleshop

// The invented words that names are put together from.

var lines = []struct{ name, prefix, text string }{
	{"Airships", "A", "Rigid and not so rigid: models that hang from the ceiling by one thread."},
	{"Fire Engines", "F", "Ladders turn, hoses unroll, bells ring; it's all in red, with a few in green."},
	{"Harbour Boats", "H", "Tugs, ferries and pilots' cutters; hulls of real oak, rigging by hand."},
	{"Locomotives", "L", "Steam, diesel and electric, with the rods in motion and the lamps lit."},
	{"Race Cars", "R", "From the board tracks to the hill climbs; doors and bonnets open."},
	{"Tractors", "T", "Everything that ever pulled a plough; tyres of rubber, seats of tin."},
	{"Trams", "W", "City cars with their destination boards; the poles can be raised."},
}

var scales = []string{"1:10", "1:12", "1:18", "1:24", "1:32", "1:50", "1:72", "1:700"}

var makers = []string{
	"Halvorsen", "Brindle & Tate", "Kestrel", "Ostermann", "Delacroix-Roux", "Varga", "O'Malley", "Tanabe", "Quist",
	"Pellegrini", "Northgate", "Świder", "Barreto", "Lindqvist", "Åkerblom", "Mac an Ghoill",
}

var models = []string{
	"Comet", "Badger", "Heron", "Duchess", "Type 4", "Vulcan", "Little Giant", "Albatross", "Boxer", "Meridian", "No. 9",
	"Express", "Swift", "Colossus", "Juno", "Pathfinder", "Étoile", "Marigold", "Standard", "Zephyr", "D'Artagnan",
}

var vendors = []string{
	"Tin & Timber Works", "Larkspur Miniatures", "Atelier du Pont-Neuf", "Grünwald Feinguss", "Penny Lane Castings",
	"Blue Heron Models", "Ironmonger's Row", "Sato Precision", "Small World Foundry",
}

var features = []string{
	"steering that works", "a hand-painted finish", "a numbered certificate", "wheels that roll; doors that open",
	"an engine with every pipe", "a driver's cap on the seat", "brass fittings", "a display stand of beech",
	"lamps of real glass", "leather the size of a stamp",
}

var firstNames = []string{
	"Ada", "Björn", "Chiara", "Dévi", "Eamon", "Fumiko", "Goran", "Hélène", "Ivo", "Jolanta", "Kwame", "Lúcia", "Mirek",
	"Noor", "Oskar", "Pilar", "Quentin", "Rósa", "Søren", "Tomasz", "Ursula", "Viktor", "Wanda", "Yann", "Zoë",
}

var lastNames = []string{
	"Abernethy", "Bühler", "Castellanos", "D'Angelo", "Eriksen", "Fontaine", "Grzyb", "Hasegawa", "Ilves", "Jankowski",
	"Kouassi", "Lefèvre", "Møller", "Nascimento", "O'Rourke", "Petrov", "Quiroga", "Rasmussen", "Silva", "Tennant",
	"Ueno", "van der Velde", "Winterbottom", "Yamagata", "Zamora",
}

var shopForms = []string{
	"%s Toys", "%s & Daughters", "Maison %s", "%s Modellbau", "The %s Collection", "%s Gifts, Ltd.", "Casa %s", "%s's Attic",
	"%s Imports Inc.", "%s Hobby AS", "%s Curiosities", "Old Harbour %s Co.",
}

var streets = []string{
	"Mill Lane", "rue de l'Horloge", "Hafenstraße", "Kirkegata", "Via dei Fabbri", "Saddlers' Row", "Calle Mayor",
	"Tannery Road", "Ulica Długa", "Station Approach", "Rua do Norte", "Cooper's Yard",
}

var remarks = []string{
	"Customer asked for gift wrap; said \"no ribbons\".",
	"It's the second parcel to this address.",
	"Left with the neighbour.\nPlease ring twice next time.",
	"Path on the label read C:\\orders\\new; corrected by hand.",
	"Paid late -- reminded once # and paid.",
}

var offices = []struct{ city, state, country, territory string }{
	{"Portland", "OR", "USA", "NA"}, {"Albany", "NY", "USA", "NA"}, {"Lyon", "", "France", "EMEA"},
	{"Bristol", "", "UK", "EMEA"}, {"Kanazawa", "Ishikawa", "Japan", "Japan"}, {"Hobart", "Tasmania", "Australia", "APAC"},
	{"Bergen", "", "Norway", "EMEA"},
}
