/* Schemas: what is decoded has one encoding; it is looked at for faults, and where there are none
 * it judges what it declares without a failure. */
#include <stdlib.h>
#include <string.h>

#include "store/limits.h"
#include "store/schema.h"
#include "tests/fuzz/target.h"

static int count(void *arg, const char *key, const char *member, const char *text)
{
    size_t *faults = arg;
    if (!key || !member || !text || !text[0])
        abort();
    ++*faults;
    return 0;
}

static void judge(const struct schema *schema, const struct schema_key *key)
{
    enum verdict verdict;
    char text[TYPE_TEXT_MAX];
    struct schema_subject subject = {.environment = "prod", .key = key->name, .is_secret = true};
    if (schema_judge(schema, &verdict, text, &subject))
        abort();
    subject.is_there = true;
    if (schema_judge(schema, &verdict, text, &subject))
        abort();
    subject.value = key->default_value ? key->default_value : "";
    subject.size = key->default_size;
    if (schema_judge(schema, &verdict, text, &subject) || (verdict == VERDICT_VALID) != !text[0])
        abort();
    if (key->has_default && verdict == VERDICT_WRONG)
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct schema schema;
    size_t faults = 0;
    if (schema_decode(&schema, data, size))
        return 0;
    BYTES_CLEANUP struct bytes again = BYTES_INIT(size);
    schema_encode(&again, &schema);
    if (again.error || again.size != size || memcmp(again.data, data, size) != 0)
        abort();
    if (schema_check(&schema, count, &faults))
        abort();
    for (size_t i = 0; faults == 0 && i < schema.count; i++)
        judge(&schema, &schema.keys[i]);
    schema_release(&schema);
    return 0;
}
