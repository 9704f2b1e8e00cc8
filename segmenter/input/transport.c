/* The transports by their type. */
#include "segmenter/input/transport.h"

#include "base/log.h"

const struct transport_ops *
transport_for(enum input_type type)
{
	static const struct transport_ops *const all[] = {
		[INPUT_ICECAST_SOURCE] = &transport_icecast_source,
		[INPUT_ICECAST_PULL] = &transport_icecast_pull,
		[INPUT_FILE] = &transport_file,
		[INPUT_PIPE] = &transport_pipe,
		[INPUT_COMMAND] = &transport_command,
		[INPUT_STDIN] = &transport_stdin,
	};

	CHECK((unsigned)type < sizeof(all) / sizeof(all[0]));
	return all[type];
}
