// This module is the articles in Handbook.docc. DocC attaches a catalogue to a module, and a module
// has at least one source file: this one declares nothing.
