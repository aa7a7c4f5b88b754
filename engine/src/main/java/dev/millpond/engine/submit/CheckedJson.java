package dev.millpond.engine.submit;

/**
 * A payload that need not be read again: its maker has read it token by token, and it is one JSON
 * value of at most 64 levels, with no property twice, no escape of the form {@code \\u}, no
 * exponent, and no number of more than 400 characters. A door between Millpond's own modules;
 * whoever is in doubt makes a {@link dev.millpond.api.JobRequest.RawJson}, which is checked.
 */
public record CheckedJson(String text) {}
