/**
 * How many connections may wait for a server to take them; the system holds it to its own limit (`net.core.somaxconn`, usually
 * 4096). With the 511 of Node.js, callers who come in their thousands at one moment find the line full: the kernel drops their
 * packets, and what it tries again after 1, 2, 4 and more seconds looks to them like a function that is slow.
 */
export const listenBacklog = 65_535;
