#!/bin/sh
# Import the images of an archive as `docker save` writes it. SOCKET NAME FILE_PATH SHA256
set -eu

# archive_references: print the names of the archive's images as containerd completes them.
archive_references() {
  tar -xOf "$FILE_PATH" manifest.json 2>/dev/null | tr -d '\n' | grep -o '"RepoTags" *: *\[[^]]*\]' |
    grep -o '"[^"]*"' | sed 's/"//g; /^RepoTags$/d' | awk -F / '{
      if (NF == 1 || ($1 !~ /[.:]/ && $1 != "localhost")) $0 = "docker.io/" $0
      if ($1 == "docker.io" && NF == 2) $0 = "docker.io/library/" $2
      print
    }' | sort -u
}

# deployed_name REFERENCE: print the name that pods ask for, of an image from Kubernetes' own archives. Those name the
# architecture (kube-proxy-amd64:v1.34.1), as its registry does not.
deployed_name() {
  printf '%s\n' "$1" | sed -n -E 's#^(registry\.k8s\.io/.*)-(amd64|arm64)(:[^:/]*)$#\1\3#p'
}

content_folder() {
  ctr --address "$SOCKET" plugins ls --detailed |
    awk '$1 == "ID:" {is_content = ($2 == "content")} is_content && $1 == "root" {print $2; exit}'
}

# present_references: those of the archive's references that the runtime has, whatever is behind them.
present_references() {
  # shellcheck disable=SC2046,SC2086 # One word per reference is meant.
  on_runtime images ls --quiet $(printf 'name==%s ' $references)
}

# name_as_deployed: give images of the archive their second names.
name_as_deployed() {
  for reference in $in_archive; do
    deployed=$(deployed_name "$reference")
    [ -z "$deployed" ] || on_runtime images tag --force "$reference" "$deployed" >/dev/null
  done
}

# import: an import that breaks off leaves images that nothing can start; only those that it brought go again.
import() {
  before=$(present_references)
  if ! said=$(on_runtime images import "$FILE_PATH" 2>&1); then
    half=$(present_references | grep -vxF "$before" || true)
    # shellcheck disable=SC2086 # One word per reference is meant.
    [ -z "$half" ] || release $half 2>/dev/null || true
    case $said in
      *'might be filtered out'*) refuse image-platform "$FILE_PATH" "$(uname -m)" ;;
    esac
    printf '%s\n' "$said" >&2
    exit 1
  fi
}

[ -f "$FILE_PATH" ] || refuse image-archive-missing "$FILE_PATH"
found=$(sha256_of "$FILE_PATH")
[ "$found" = "$SHA256" ] || refuse image-archive-differs "$FILE_PATH" "$SHA256" "$found"
in_archive=$(archive_references)
references=$(for reference in $in_archive; do printf '%s\n' "$reference" && deployed_name "$reference"; done)
[ -n "$references" ] || refuse image-archive-nameless "$FILE_PATH"
folder=$(content_folder)
# A layer is kept as it came and unpacked beside it.
[ -z "$folder" ] || need_space "$folder" $((2 * $(file_size "$FILE_PATH")))
record_folder images
record_folder images-brought
rm -f "$IMAGES/$NAME"
touch "$IMAGES_BROUGHT/$NAME"
printf '%s\n' "$references" | sort -u - "$IMAGES_BROUGHT/$NAME" > "$IMAGES_BROUGHT/.$NAME"
mv "$IMAGES_BROUGHT/.$NAME" "$IMAGES_BROUGHT/$NAME"
import
name_as_deployed
{
  echo "$SHA256"
  for reference in $references; do
    digest=$(digests "name==$reference")
    echo "$reference ${digest:-none}"
  done
} > "$IMAGES/.$NAME"
mv "$IMAGES/.$NAME" "$IMAGES/$NAME"
