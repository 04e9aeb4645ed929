#!/bin/sh
# A plugin that notes how it was called, and answers as the scenario says. Its inherited environment says where.
type=${0##*/}
call=$type.$CNI_COMMAND
{
  printf '%s\n' "$0" "${CNI_COMMAND-unset}" "${CNI_CONTAINERID-unset}" "${CNI_NETNS-unset}" \
    "${CNI_IFNAME-unset}" "${CNI_ARGS-unset}" "${CNI_PATH-unset}"
  cat
  echo
} >>"$RECORDER/calls"
if [ -f "$RECORDER/answers/$call" ]; then cat "$RECORDER/answers/$call"; fi
if [ -f "$RECORDER/answers/$call.fails" ]; then exit 1; fi
