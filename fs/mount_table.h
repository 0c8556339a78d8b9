/*
 * What is mounted where, as /proc/self/mountinfo has it: read once and asked often, which counts
 * where there are thousands of mounts. As old as it is; who acts upon it looks at the place again.
 */
#ifndef EMSA_FS_MOUNT_TABLE_H
#define EMSA_FS_MOUNT_TABLE_H

#include <stddef.h>
#include <stdio.h>

struct standing {
    char type[64];   /* of the file system: "fuse.emsa" */
    long id;         /* of the mount, which descriptors tell too */
    unsigned number; /* of the superblock's device (0:NUMBER); 0: it has another kind */
};

struct mount_table {
    struct mount_line *lines; /* by place; what stands on top is the last of a place; owned */
    size_t count, capacity;
};
#define MOUNT_TABLE_CLEANUP __attribute__((cleanup(mount_table_release)))

/* Of this process's namespace. Begin with an empty one ({0}); nothing is left on failure.
 * ERR_NOMEM, ERR_IO. */
int mount_table_read(struct mount_table *);

/* The same of an open file in the format of mountinfo; lines that are none are left out. */
int mount_table_parse(struct mount_table *, FILE *file);

void mount_table_release(struct mount_table *);

/* What stands on top at an absolute path without links. 1: nothing does. */
int mount_table_top(const struct mount_table *, const char *path, struct standing *out);

/* What stood on top there was taken away. */
void mount_table_drop(struct mount_table *, const char *path);

#endif
