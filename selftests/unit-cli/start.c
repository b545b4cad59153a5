// SPDX-License-Identifier: GPL-2.0
/*
 * The command, as the tests build it: its main() has another name there.
 */
int rein_main(int argc, char **argv);

int main(int argc, char **argv)
{
	return rein_main(argc, argv);
}
