/*
 * The process that holds a pod's namespaces open.
 *
 * It waits for a signal that ends the pod, and, where it is process 1 of a shared process namespace, it reaps
 * children that were left to it.
 *
 * With -v it says what it is and ends: kubeadm runs it so, before an upgrade, to see whether the cluster ends a job.
 */
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>

int main(int count, char **arguments)
{
	sigset_t signals;
	int signal_number;

	if (count > 1 && strcmp(arguments[1], "-v") == 0)
		return puts("KubEVC's pause") == EOF;

	sigemptyset(&signals);
	sigaddset(&signals, SIGCHLD);
	sigaddset(&signals, SIGINT);
	sigaddset(&signals, SIGTERM);
	/* Blocked signals stay pending for sigwait. Process 1 would otherwise not get those without a handler at all. */
	sigprocmask(SIG_BLOCK, &signals, NULL);

	while (sigwait(&signals, &signal_number) == 0 && signal_number == SIGCHLD)
		/* One signal may stand for several children. */
		while (waitpid(-1, NULL, WNOHANG) > 0)
			;
	return 0;
}
