package dev.millpond.server.config;

/**
 * Who may call.
 *
 * @param keys whether callers need a key; else only this machine may call, without one
 * @param metricsOpen whether the metrics need none all the same
 * @param proxies who is believed about a caller's address
 */
public record AccessConfig(boolean keys, boolean metricsOpen, TrustedProxies proxies) {}
