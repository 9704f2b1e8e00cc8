/* "192.0.2.1:8001" and "[2001:db8::1]:8001": numeric socket addresses as configured and as logged. */
#ifndef HINDCAST_ADDRESS_H
#define HINDCAST_ADDRESS_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>

#define ADDRESS_TEXT_SIZE 64

/* 0, or -1 with *out untouched. Names are not looked up. Port 0 is taken. */
int address_parse(const char *text, struct sockaddr_storage *out);
const char *address_format(const struct sockaddr_storage *a, char text[static ADDRESS_TEXT_SIZE]);
uint16_t address_port(const struct sockaddr_storage *a);
/* 127.0.0.0/8, ::1. */
bool address_is_loopback(const struct sockaddr_storage *a);
void address_set_port(struct sockaddr_storage *a, uint16_t port);

#endif
