//! Floor 3: serves. Listeners, routing, the doors.
