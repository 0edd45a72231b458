"""The bundled day: every flight that left New York on 24 June 2013, a day of storms, and live views over it.
It holds data, queries and the replay's clock; it refuses to know servers, browsers and terminals (`cli/demo`)."""
