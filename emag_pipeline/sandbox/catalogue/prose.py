"""The sentences of which descriptions and safety notes are made: Romanian, with every diacritic, some HTML."""

OPENINGS = (
    "Fie că ești la început de drum, fie că ai deja experiență, acest produs îți va ușura munca de zi cu zi.",
    "Gândit pentru familiile care prețuiesc lucrurile bine făcute, rezistă an după an fără să-și piardă farmecul.",
    "Un cadou potrivit în orice anotimp: îl primești ambalat îngrijit, cu instrucțiuni în limba română.",
    "Tradiția meșterilor din Maramureș se întâlnește cu tehnologia de azi, fără compromisuri.",
    "Îți dorești ceva simplu, trainic și ușor de întreținut? Ai ajuns exact unde trebuie!",
    "Redescoperă plăcerea lucrurilor mărunte, într-un design care se potrivește în orice încăpere.",
    "Testat în condiții grele – ploaie, praf și îngheț –, produsul acesta nu te va dezamăgi.",
    "Economisește timp și energie: randamentul este cu până la 35% mai bun decât al generației precedente.",
)

ADVANTAGES = (
    "Finisaj rezistent la zgârieturi și la pete, ușor de șters cu o lavetă umedă",
    "Mâner ergonomic, antiderapant, potrivit și pentru stângaci",
    "Consum redus de energie & funcționare silențioasă (sub 55 dB)",
    "Materiale certificate, fără substanțe dăunătoare sănătății",
    "Se montează în câteva minute, fără unelte suplimentare",
    "Piese de schimb disponibile timp de cel puțin 7 ani",
    "Protecție la supraîncălzire și oprire automată",
    "Ambalaj din carton reciclat, fără plastic de unică folosință",
    "Greutate mică, potrivit pentru călătorii și drumeții",
    "Dimensiuni compacte: încape în cele mai strâmte spații",
    "Culoare stabilă la lumină și la spălări repetate",
    "Conceput și verificat în România, după norme europene",
)

CLOSINGS = (
    "Pachetul conține produsul, accesoriile de bază, certificatul de garanție și manualul în limba română.",
    "Nuanțele pot diferi ușor față de fotografii, în funcție de setările ecranului dumneavoastră.",
    "Returul este gratuit timp de 30 de zile; păstrați ambalajul original și bonul fiscal.",
    "Pentru întrebări, echipa noastră vă răspunde de luni până vineri, între orele 9:00 și 17:30.",
    "Livrăm oriunde în țară, inclusiv în localitățile greu accesibile, fără costuri ascunse.",
    "Atenție: accesoriile opționale (ex. sacul de transport) se vând separat.",
)

LONG_TALES = (
    "Povestea acestui model a început acum mai bine de douăzeci de ani, într-un atelier mic de lângă Câmpulung, unde "
    "fiecare piesă era verificată de două ori înainte să plece spre client. Astăzi producția s-a mutat într-o hală "
    "modernă, însă obiceiul a rămas: nimic nu părăsește fabrica fără o ștampilă și o semnătură.",
    "Inginerii noștri au ascultat cele peste 12.000 de recenzii primite și au schimbat ceea ce vă supăra: cablul este "
    "mai lung cu 40 cm, butonul de pornire se găsește acum în față, iar garnitura se poate înlocui acasă, în mai puțin "
    "de cinci minute, fără șurubelniță și fără să pierdeți garanția.",
    "Știm că spațiul este prețios. De aceea, întregul ansamblu se pliază, se agață și se depozitează vertical, iar "
    "piciorușele din cauciuc împiedică alunecarea pe gresie, parchet sau faianță. Două persoane îl pot muta ușor, iar "
    "roțile (opționale) se blochează cu o simplă apăsare.",
    "Materialele au fost alese împreună cu specialiști de la Universitatea Tehnică din Cluj-Napoca: aliajul nu "
    "ruginește, vopseaua nu se cojește, iar țesătura își păstrează forma și după o sută de spălări la 40 °C. "
    "Rezultatele încercărilor sunt publice și pot fi cerute oricând serviciului de relații cu clienții.",
    "Întreținerea este simplă: o lavetă moale, apă călduță și puțin săpun. Nu folosiți solvenți, bureți abrazivi sau "
    "jet de apă sub presiune. Odată pe an, ungeți părțile mobile cu ulei alimentar; astfel veți prelungi durata de "
    "viață și veți evita scârțâitul neplăcut pe care îl știți de la modelele ieftine.",
)

SAFETY_NOTES = (
    "A nu se lăsa la îndemâna copiilor sub 3 ani. Conține piese mici care pot fi înghițite.",
    "Citiți cu atenție instrucțiunile înainte de prima utilizare. Nu scufundați în apă aparatul conectat la priză.",
    "Purtați ochelari și mănuși de protecție. Opriți aparatul înainte de a schimba accesoriile.",
    "Numai pentru uz extern. Evitați contactul cu ochii. Întrerupeți utilizarea dacă apar iritații.",
    "Nu depășiți sarcina maximă înscrisă pe etichetă. Verificați periodic șuruburile și îmbinările.",
)

MAKERS = (
    ("SC Atelierele Reunite SRL", "Str. Țăranilor nr. 14, Brașov 500123, România"),
    ("Kühlmann Haushaltsgeräte GmbH", "Lange Straße 8, 70173 Stuttgart, Deutschland"),
    ("Dunántúli Szövőműhely Kft.", "Fő út 22, 9700 Szombathely, Magyarország"),
    ("Łucja Zabawki Sp. z o.o.", "ul. Źródlana 3, 30-001 Kraków, Polska"),
)
