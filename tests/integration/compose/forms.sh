#!/bin/bash
# Every form that docker-compose and emsa both know, in one project: compared key by key.
# shellcheck source=../../support/lib.sh
. "$(dirname "$0")/../../support/lib.sh"
# shellcheck source=support.sh
. "$here/support.sh"

mkdir "$work/project" "$work/project/conf"
cat >"$work/project/.env" <<'END'
# comment
HOST=db.example
PORT=5432
EMPTY=
ADDR=${HOST}:${PORT}
DEFAULTED=${NOT_THERE:-fallback}/x
SPACED="two words"
SINGLE='one # two'
export EXPORTED=yes
TRAILING=value # comment
TAG=1.2
DB_PASSWORD=quite-a-long-password
END
cat >"$work/project/conf/a.env" <<'END'
A_ONE=1
A_TWO=${A_ONE}/two
BOTH=from-a
OVER=from-a
NAKED=from-a
END
printf 'BOTH=from-b\nB_LINES="x\\ny"\n' >"$work/project/conf/b.env"
cat >"$work/project/compose.yaml" <<'END'
version: "3.7"
x-common: &common
  LEVEL: info
  RETRIES: 3
services:
  list:
    image: x:${TAG}
    environment:
      - HOST
      - PORT
      - NOT_THERE
      - EMPTY
      - URL=pg://user:${DB_PASSWORD}@${ADDR}/name?x=$$y
      - SHORT=$HOST
      - BRACED=${HOST}
      - SOFT=${EMPTY:-soft}
      - SOFT_SET=${HOST:-soft}
      - HARD=${EMPTY-hard}
      - HARD_UNSET=${NOT_THERE-hard}
      - NOTHING=${NOT_THERE_EITHER}
      - NEEDED=${HOST:?why}
      - NEEDED_TOO=${EMPTY?why}
      - LITERAL=a=b=c
      - EMPTY_TOO=
      - JSON={"a":"$HOST"}
      - "BLANKS=  x  "
      - UTF=größe ☃
  map:
    image: x
    environment:
      <<: *common
      LEVEL: debug
      NUMBER: 42
      HEX: 0x1F
      FLOAT: 1.50
      TRUTH: "true"
      QUOTED: "007"
      NOTHING:
      HOST:
      FOLDED: >-
        one
        two
      LINES: |
        first ${PORT}
        second
      DOLLARS: $$$$x$$
  files:
    image: x
    env_file:
      - conf/a.env
      - ./conf/b.env
    environment:
      OVER: by-hand
      NAKED:
      DB_PASSWORD:
  file:
    image: x
    env_file: conf/b.env
  base:
    image: x
    environment: {INHERITED: base, REPLACED: base}
  none:
    image: x
END
compared "forms" "$work/project" .env
is "libyaml's allocator is the command's, which wipes" 1 "$(nm -D "$EMSA_BIN/emsa" | grep -c ' T yaml_malloc$')"
finish
