"""Face engines: finding faces and turning them into numbers that can be compared. No decisions here."""
