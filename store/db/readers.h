/*
 * LMDB's table of readers, kept in memory. LMDB maps lock.mdb for it and writes there whenever a
 * reader begins; when the kernel has written that page out, the next write has to announce itself
 * to the disk, and with a disk that does not answer every reader would hang, whatever it reads
 * (measured: half a minute after the last sync). Since one process owns a store, nobody else needs
 * to see the table. The file stays, and LMDB's lock on it.
 */
#ifndef EMSA_STORE_DB_READERS_H
#define EMSA_STORE_DB_READERS_H

/* Puts memory in the place of this process's mapping of lock.mdb in the store at path: after the
 * environment was opened, before its first transaction, with no other thread in it. Where the
 * mapping cannot be found (no /proc), it stays as it is. ERR_NOMEM. */
int readers_to_memory(const char *path);

#endif
