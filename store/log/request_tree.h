/* The numbers of a request's text (store/FORMAT.md, "Request"), for who writes and who reads it. */
#ifndef EMSA_STORE_LOG_REQUEST_TREE_H
#define EMSA_STORE_LOG_REQUEST_TREE_H

#define REQUEST_FORMAT 1u
#define TREE_DEPTH_MAX 8

enum tree {
    TREE_FALSE = 1,
    TREE_TRUE,
    TREE_NUMBER,
    TREE_TEXT,
    TREE_LIST,
    TREE_OBJECT,
    TREE_DIGEST
};

#endif
