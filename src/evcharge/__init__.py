"""An EV charging network in a box. Start reading at ARCHITECTURE.md."""
