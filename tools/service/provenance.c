#include "tools/service/provenance.h"

#include "store/error.h"

int provenance_add(struct snapshot *snapshot, json_t *object,
                   const struct operation_info *operation)
{
    struct path path;
    char text[PATH_TEXT_MAX];
    if (operation->from.environment == 0)
        return 0;
    int error = history_path(snapshot, &path, operation->from.environment, operation->from.name_id);
    if (error < 0)
        return error;
    json_object_set_new(object, "from",
                        json_pack("{s:s, s:I}", "path", path_text(&path, text), "rev",
                                  (json_int_t)operation->from.rev));
    return 0;
}
