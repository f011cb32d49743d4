/*
 * The process that holds a pod's namespaces open.
 *
 * It waits for a signal that ends the pod, and, where it is process 1 of a shared process namespace, it reaps
 * children that were left to it.
 */
#include <signal.h>
#include <stddef.h>
#include <sys/wait.h>

int main(void)
{
	sigset_t signals;
	int signal_number;

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
