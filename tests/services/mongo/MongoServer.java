import de.bwaldvogel.mongo.MongoVersion;
import de.bwaldvogel.mongo.backend.h2.H2Backend;
import java.net.InetSocketAddress;
import java.util.List;
import org.h2.mvstore.MVStore;

/** Serves MongoDB's protocol from one file: MongoServer PORT FILE. Ends when its standard input ends, whatever became of its parent. */
public class MongoServer {
    /** The library's own 5.0 names wire version 8, which drivers refuse since they left MongoDB 4.2; that of MongoDB 5.0 is 13. */
    private record Version(List<Integer> getVersionArray, int getWireVersion) implements MongoVersion {
    }

    public static void main(String[] args) throws Exception {
        MVStore store = new MVStore.Builder().fileName(args[1]).open();
        var server = new de.bwaldvogel.mongo.MongoServer(new H2Backend(store).version(new Version(List.of(5, 0, 0), 13)));
        server.bind(new InetSocketAddress("127.0.0.1", Integer.parseInt(args[0])));
        while (System.in.read() >= 0) {
        }
        // Closes the store too, which writes what is in memory.
        server.shutdownNow();
        System.exit(0);
    }
}
