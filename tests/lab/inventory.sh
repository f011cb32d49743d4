#!/bin/sh
# Print what a host is, one fact a line: packages, units, kernel settings, files, accounts, network, mounts.
# Run before a site is made and after it is destroyed; the two must not differ.
set -eu
export LC_ALL=C

dpkg-query -W -f 'package ${Package} ${Version} ${db:Status-Status}\n' | sort
apt-mark showmanual | sed 's/^/manual /' | sort
systemctl list-unit-files --no-legend --no-pager | awk '{print "unit-file", $1, $2}' | sort
systemctl list-units --all --no-legend --no-pager --plain --type=service --state=active | awk '{print "unit", $1, $3, $4}' | sort
# Counters, random values and what follows the load of the machine are no settings.
sysctl -a 2>/dev/null | grep -E '^(net\.(ipv4|ipv6|bridge|netfilter\.nf_conntrack_(max|tcp))|vm\.(overcommit|panic|swappiness|max_map)|kernel\.(panic|keys))' |
    grep -vE 'random|_count|stable_secret|\.(cali|cni|flannel|veth)|expect_max|conntrack_buckets' | sort | sed 's/^/sysctl /'
# Caches that package triggers write anew are left out: their content follows the packages above. So are the copies that
# the account tools keep of the file before the last change.
find /etc /usr/local /opt /root /srv -xdev \( -name ld.so.cache -o -name '*-' -o -path /root/.ssh -o -path /root/.cache \) -prune -o -type f -print0 |
    sort -z | xargs -0 sha256sum | sed 's/^/file /'
find /etc /usr/local /opt /root /srv -xdev -path /root/.cache -prune -o \( -type d -o -type l \) -printf 'entry %y %m %u %p %l\n' | sort
find /var/lib /var/cache /run /usr/lib/cni /usr/libexec -xdev -mindepth 1 -maxdepth 1 -printf 'entry %y %p\n' 2>/dev/null |
    grep -vE ' /run/(utmp|motd|adduser|.*\.(pid|lock))$' | sort
getent passwd | sed 's/^/account /' | sort
getent group | sed 's/^/group /' | sort
ip -o link | awk '{print "link", $2}' | sort
ip route | sed 's/^/route /' | sort
iptables-save 2>/dev/null | grep -v '^#' | sed -E 's/\[[0-9]+:[0-9]+\]//; s/^/rule /' | grep -vE '^rule (\*|COMMIT|:(INPUT|OUTPUT|FORWARD|PREROUTING|POSTROUTING) )' | sort
awk '{print "mount", $5}' /proc/self/mountinfo | sort -u
# shellcheck disable=SC2009 # Every process is wanted, not those of one name.
ps -eo comm= | grep -vE '^(ps|sh|awk|sort|sed|sshd|kworker|systemd|\(sd-pam\)|\(udev-worker\)|inventory|bash|grep|find|xargs)' | sort -u | sed 's/^/process /'
