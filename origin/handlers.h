/* Those who answer. Each queues exactly one response for its request. */
#ifndef HINDCAST_HANDLERS_H
#define HINDCAST_HANDLERS_H

struct request;

/* page.c: the player page. */
void page_home(struct request *r);
void page_station(struct request *r);
void page_redirect(struct request *r); /* "/fip" to "/fip/" */
void page_asset(struct request *r);

/* playlist.c: lists of a station, of a rendition, of an hour. */
void playlist_multivariant(struct request *r);
void playlist_media(struct request *r);
void playlist_hour(struct request *r);

/* media.c: segments, and files of others in the store. */
void media_segment(struct request *r);
void media_file(struct request *r);

void stations_json(struct request *r);
void availability_json(struct request *r);
void programmes_json(struct request *r);
void health_all(struct request *r);
void health_station(struct request *r);
void counters_metrics(struct request *r);

#endif
