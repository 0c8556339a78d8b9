/*
 * The system's lists of users and groups, for a server that cannot open them any more. A confined
 * one may read the two files as they were when it entered its sandbox (confine.h): not the folder
 * that they lie in, which has what only root may read, and root's server is root. A tool that adds
 * a user puts a new file in the place of the old one, and then the server asks its supervisor to
 * open it. Where there is no supervisor, who was added since has no name, and so none of the rights
 * that hang on one.
 */
#ifndef EMSA_TOOLS_EMSAD_PEOPLE_LINK_H
#define EMSA_TOOLS_EMSAD_PEOPLE_LINK_H

#include "tools/emsad/channel.h"
#include "tools/emsad/child.h"
#include "tools/emsad/link.h"

/* For the server, before its first thread: people.h asks over this link from now on. */
void people_link_begin(struct link *link);

/* For the supervisor: answers PEOPLE. As channel_send. */
int people_link_answer(const struct child *server, const struct channel_message *asked);

#endif
