/* Ids: any number is a node that is made into the same number again, or none; and any number on the
 * wire of a consumer's view leads to one and back. */
#include <stdlib.h>
#include <string.h>

#include "fs/node.h"
#include "fs/scope.h"
#include "tests/fuzz/target.h"

static uint64_t made_again(const struct node *node)
{
    switch (node->kind) {
    case NODE_IS_ROOT:
        return NODE_ROOT;
    case NODE_IS_ENVIRONMENT:
        return node_environment(node->environment);
    case NODE_IS_SERVICE:
        return node_service(node->environment, node->service, node->incarnation);
    case NODE_IS_KEY:
        return node_key(node->environment, node->name_id);
    case NODE_IS_PAST_KEY:
        return node_past_key(node->rev, node->index);
    case NODE_IS_HIDDEN:
    case NODE_IS_AT:
        return node_hidden(node->kind, node->environment, node->service, node->incarnation);
    default:
        return node_of_revision(node->kind, node->environment, node->service, node->rev);
    }
}

static void check_scope(const struct view_options *options, uint64_t number)
{
    struct scope scope;
    scope_init(&scope, options, NULL);
    const uint64_t node = scope_decipher(&scope, number);
    if (scope_wire(&scope, node) != number && scope_own(&scope, node) == node)
        abort();
    const uint64_t offset = scope_offset_back(&scope, number);
    if (scope_offset(&scope, offset) != number)
        abort();
    (void)scope_parent(&scope, number);
    if (scope_wire(&scope, scope_parent(&scope, node)) == 0)
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    uint64_t number;
    struct node node;
    struct view_options options = {0};
    if (size < sizeof(number) + 2)
        return 0;
    memcpy(&number, data, sizeof(number));
    if (node_parse(&node, number) && made_again(&node) != number)
        abort();
    (void)node_parent(number);
    options.extent = data[8] % 3;
    options.layout = options.extent ? data[9] % 2 : LAYOUT_TREE;
    memcpy(options.key, data + 10, size - 10 < sizeof(options.key) ? size - 10 : 16);
    check_scope(&options, number);
    return 0;
}
