package main

import (
	"context"
	"fmt"

	v1 "github.com/authzed/authzed-go/proto/authzed/api/v1"
	authzed "github.com/authzed/authzed-go/v1"
	"github.com/authzed/grpcutil"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
)

// SpiceDB: relationships in memory, asked over gRPC, with answers of its cache and with fresh ones.

const schema = `definition person {}
definition group {
	relation member: person
}
definition book {
	relation reader: group#member
	permission read = reader
}`

func checkSpiceDB(options Options, asked []question) ([]Figures, error) {
	address, err := freePort()
	if err != nil {
		return nil, err
	}
	process, err := start(options.Folder, "spicedb", "spicedb", "serve", "--grpc-preshared-key", "bench", "--datastore-engine", "memory", "--grpc-addr", address,
		"--metrics-enabled=false", "--telemetry-endpoint=", "--log-level", "error", "--skip-release-check")
	if err != nil {
		return nil, err
	}
	defer process.stop()
	if err := process.listens(address); err != nil {
		return nil, err
	}
	clients := make([]*authzed.Client, options.Workers)
	for n := range clients {
		clients[n], err = authzed.NewClient(address, grpcutil.WithInsecureBearerToken("bench"), grpc.WithTransportCredentials(insecure.NewCredentials()))
		if err != nil {
			return nil, err
		}
		defer clients[n].Close()
	}
	ctx := context.Background()
	if _, err := clients[0].WriteSchema(ctx, &v1.WriteSchemaRequest{Schema: schema}, grpc.WaitForReady(true)); err != nil {
		return nil, err
	}
	if err := relate(ctx, clients[0]); err != nil {
		return nil, err
	}
	fast := &v1.Consistency{Requirement: &v1.Consistency_MinimizeLatency{MinimizeLatency: true}}
	fresh := &v1.Consistency{Requirement: &v1.Consistency_FullyConsistent{FullyConsistent: true}}
	var all []Figures
	for _, kind := range []struct {
		name        string
		consistency *v1.Consistency
	}{{"SpiceDB, gRPC, `minimize_latency`: may be some seconds old", fast}, {"SpiceDB, gRPC, `fully_consistent`: as it is now", fresh}} {
		figures, err := measure(options, kind.name, process, func(worker, number int) error {
			one := asked[number%len(asked)]
			answer, err := clients[worker].CheckPermission(ctx, &v1.CheckPermissionRequest{
				Consistency: kind.consistency,
				Resource:    &v1.ObjectReference{ObjectType: "book", ObjectId: one.Book()},
				Permission:  "read",
				Subject:     &v1.SubjectReference{Object: &v1.ObjectReference{ObjectType: "person", ObjectId: fmt.Sprintf("p%04d", one.person)}},
			})
			return same(err, answer.GetPermissionship() == v1.CheckPermissionResponse_PERMISSIONSHIP_HAS_PERMISSION, one, nil)
		})
		if err != nil {
			return nil, err
		}
		all = append(all, figures)
	}
	return all, nil
}

func relate(ctx context.Context, client *authzed.Client) error {
	var updates []*v1.RelationshipUpdate
	flush := func() error {
		_, err := client.WriteRelationships(ctx, &v1.WriteRelationshipsRequest{Updates: updates})
		updates = nil
		return err
	}
	add := func(kind, id, relation, subjectKind, subject, subjectRelation string) error {
		updates = append(updates, &v1.RelationshipUpdate{
			Operation: v1.RelationshipUpdate_OPERATION_CREATE,
			Relationship: &v1.Relationship{
				Resource: &v1.ObjectReference{ObjectType: kind, ObjectId: id},
				Relation: relation,
				Subject:  &v1.SubjectReference{Object: &v1.ObjectReference{ObjectType: subjectKind, ObjectId: subject}, OptionalRelation: subjectRelation},
			},
		})
		if len(updates) == 500 {
			return flush()
		}
		return nil
	}
	for person := range people {
		if err := add("group", fmt.Sprintf("g%02d", person%groups), "member", "person", fmt.Sprintf("p%04d", person), ""); err != nil {
			return err
		}
	}
	for group := range groups {
		for book := range books {
			if err := add("book", question{group: group, book: book}.Book(), "reader", "group", fmt.Sprintf("g%02d", group), "member"); err != nil {
				return err
			}
		}
	}
	if len(updates) > 0 {
		return flush()
	}
	return nil
}
